#!lua flags=allow-oom
-- Finish a round; a campaign that was done runs again.
-- KEYS[1] prefix; ARGV 1 campaign, 2 round, 3 the counts from which on failures count for stop_when.
-- Returns how many recipients are in the round. Safe to repeat.
local key = P .. 'c:' .. ARGV[1] .. ':meta'
local meta = redis.call('HMGET', key, 'status', 'opening', 'opened')
if string.match(meta[2] or '', '^%d+') == ARGV[2] then
  redis.call('HSET', key, 'opening', '', 'base', ARGV[3])
  if meta[1] == 'done' and tonumber(meta[3]) > 0 then redis.call('HSET', key, 'status', 'running', 'why', '', 'turned_at', int(now)) end
  redis.call('SADD', P .. 'campaigns_on', ARGV[1])
  signal()
end
return tonumber(meta[3] or '0')
