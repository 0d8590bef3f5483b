--! allow-oom
-- The guard: a slot is done with. KEYS[1] beat's prefix; ARGV 1 name, 2 the table as it was read, 3 slot, 4 runs (1 or 0),
-- 5 slots that were missed before it, 6 score: when beat looks next, or -1; then field, value pairs.
-- Returns 1, or 0 when it was marked before, or when there is no such schedule any more.
local key = KEYS[1] .. ARGV[1]
local found = redis.call('HMGET', key, 'table', 'last', 'paused')
if not found[1] or tonumber(found[2] or 0) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', key, 'last', ARGV[3])
redis.call('HINCRBY', key, 'runs', ARGV[4])
redis.call('HINCRBY', key, 'missed', ARGV[5])
for i = 7, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
if found[1] == ARGV[2] and not found[3] then redis.call('ZADD', KEYS[1] .. ':schedule', ARGV[6], key) end
return 1
