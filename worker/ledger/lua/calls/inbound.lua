--! allow-oom include common identity
-- Keep an inbound message once, open its sender's 24-hour window and tell the named task. KEYS[1] prefix; ARGV 1 message id,
-- 2 JSON, 3 seconds it is kept, 4 hash of the sender's number or "", 5 task or "", 6 queue or "", 7 content kind, 8 "stop", "start" or
-- "": what it asks of the opt-out list, 9 hash of the sender's id or "", then hashes by which earlier releases kept the number.
-- Returns 0 for a repeat, 1, or 2 for a STOP whose number nobody knows: it is in `optout_open` until somebody does.
redis.call('HSET', P .. 'state', 'inbound_at', int(now))
if not redis.call('SET', P .. 'in:' .. ARGV[1], ARGV[2], 'NX', 'EX', ARGV[3]) then return 0 end
count('inbound|' .. ARGV[7])
local number, id, asks, answer = ARGV[4], ARGV[9], ARGV[8], 1
if id ~= '' and number ~= '' then link_id(id, number) end
if id ~= '' and number == '' then number = number_of(id) end
for _, person in ipairs({number, id}) do
  if person ~= '' then
    redis.call('SET', P .. 'window:' .. person, '1', 'EX', 86400)
    if asks == 'stop' then redis.call('SADD', P .. 'optout', person) end
    if asks == 'start' then redis.call('SREM', P .. 'optout', person, unpack(ARGV, 9)) end
  end
end
if asks == 'start' then redis.call('HDEL', P .. 'optout_open', id) end
if asks == 'stop' and number == '' then
  local open = P .. 'optout_open'
  if redis.call('HLEN', open) < 10000 then redis.call('HSET', open, id ~= '' and id or ARGV[1], ARGV[2]) end
  answer = 2
end
if ARGV[5] ~= '' then
  redis.call('RPUSH', P .. 'outbox', cjson.encode({id = ARGV[1], state = ARGV[7], task = ARGV[5], queue = ARGV[6] ~= '' and ARGV[6] or nil,
                                                   event = 'inbound'}))
  if redis.call('LLEN', P .. 'bell') == 0 then redis.call('RPUSH', P .. 'bell', '1') end
end
return answer
