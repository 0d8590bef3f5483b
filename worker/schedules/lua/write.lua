#!lua flags=allow-oom
-- Write a schedule, if it is still as it was read. KEYS[1] its hash, KEYS[2] the index; ARGV 1 the table as it was read ("" for
-- there is none), 2 score: when beat looks next, in seconds, or -1; 3 its table; then field, value pairs of its hash
-- ("" takes one out). Safe to repeat. Returns 1, or 0 when another has changed it meanwhile.
local found = redis.call('HGET', KEYS[1], 'table') or ''
if found ~= ARGV[1] then
  -- what an answer that was lost has written already is as good
  return found == ARGV[3] and 1 or 0
end
redis.call('HSET', KEYS[1], 'table', ARGV[3])
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
redis.call('ZADD', KEYS[2], ARGV[2], KEYS[1])
return 1
