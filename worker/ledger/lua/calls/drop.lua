#!lua flags=allow-oom
-- Drop dead letters for good. KEYS[1] prefix; ARGV 1 who, 2.. tails. Returns how many were dropped.
local dropped = 0
for i = 2, #ARGV do
  local tail = ARGV[i]
  if redis.call('ZREM', P .. 'dead', tail) == 1 then
    redis.call('DEL', P .. 'j:' .. tail, P .. 'd:' .. tail, P .. 'log:' .. tail)
    redis.call('HDEL', P .. 'tries', tail)
    redis.call('HDEL', P .. 'maybe', tail)
    dropped = dropped + 1
  end
end
if dropped > 0 then
  redis.call('XADD', P .. 'audit', 'MAXLEN', '~', 100000, '*', 'act', 'drop', 'jobs', dropped, 'job', ARGV[2], 'who', ARGV[1])
end
return dropped
