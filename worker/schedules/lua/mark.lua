#!lua flags=allow-oom
-- The guard: a slot is done with. KEYS[1] the schedule's hash, KEYS[2] the index; ARGV 1 its table as it was read, 2 slot,
-- 3 runs (1 or 0), 4 slots that were missed before it, 5 score: when beat looks next, or -1; then field, value pairs.
-- Returns 1, or 0 when it was marked before, or when there is no such schedule any more.
local found = redis.call('HMGET', KEYS[1], 'table', 'last', 'paused')
if not found[1] or tonumber(found[2] or 0) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'last', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'runs', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'missed', ARGV[4])
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
-- one that was changed meanwhile knows better itself when it is next
if found[1] == ARGV[1] and not found[3] then redis.call('ZADD', KEYS[2], ARGV[5], KEYS[1]) end
return 1
