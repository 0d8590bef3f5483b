-- Write a schedule, if it is still as it was read. KEYS[1] beat's prefix; ARGV 1 name, 2 the table as it was read ("" for
-- there is none), 3 score: when beat looks next, in seconds, or -1; 4 its table; then field, value pairs of its hash
-- ("" takes one out). Safe to repeat. Returns 1, or 0 when another has changed it meanwhile.
local key = KEYS[1] .. ARGV[1]
local found = redis.call('HGET', key, 'table') or ''
if found ~= ARGV[2] then
  -- what an answer that was lost has written already is as good
  return found == ARGV[4] and 1 or 0
end
redis.call('HSET', key, 'table', ARGV[4])
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', key, ARGV[i]) else redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
end
redis.call('ZADD', KEYS[1] .. ':schedule', ARGV[3], key)
return 1
