--! allow-oom include common
-- Keep an inbound message once, open its sender's 24-hour window and tell the named task. KEYS[1] prefix; ARGV 1 message id,
-- 2 JSON, 3 seconds it is kept, 4 recipient hash or "", 5 task or "", 6 queue or "", 7 content kind, 8 "stop", "start" or "": what its
-- keyword asks of the opt-out list. Returns 1, or 0 for a repeat.
redis.call('HSET', P .. 'state', 'inbound_at', int(now))
if not redis.call('SET', P .. 'in:' .. ARGV[1], ARGV[2], 'NX', 'EX', ARGV[3]) then return 0 end
count('inbound|' .. ARGV[7])
if ARGV[4] ~= '' then
  redis.call('SET', P .. 'window:' .. ARGV[4], '1', 'EX', 86400)
  if ARGV[8] == 'stop' then redis.call('SADD', P .. 'optout', ARGV[4]) end
  if ARGV[8] == 'start' then redis.call('SREM', P .. 'optout', ARGV[4]) end
end
if ARGV[5] ~= '' then
  redis.call('RPUSH', P .. 'outbox', cjson.encode({id = ARGV[1], state = ARGV[7], task = ARGV[5], queue = ARGV[6] ~= '' and ARGV[6] or nil,
                                                   event = 'inbound'}))
  if redis.call('LLEN', P .. 'bell') == 0 then redis.call('RPUSH', P .. 'bell', '1') end
end
return 1
