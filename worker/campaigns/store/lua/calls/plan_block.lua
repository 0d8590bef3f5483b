-- Add a block to the plan.
-- KEYS[1] prefix; ARGV 1 campaign, 2 the planner's token, 3 block, 4 its recipients, compressed, 5 bytes of their states, 6 their
-- further columns, compressed, or "".
-- Returns 1, or 0 if another planner has taken over. Safe to repeat.
local base = P .. 'c:' .. ARGV[1]
local meta = redis.call('HMGET', base .. ':meta', 'status', 'planner', 'blocks')
if meta[1] ~= 'planning' or meta[2] ~= ARGV[2] then return 0 end
redis.call('HSET', base .. ':blocks', ARGV[3], ARGV[4])
if ARGV[6] ~= '' then redis.call('HSET', base .. ':own', ARGV[3], ARGV[6]) end
redis.call('SET', base .. ':s:' .. ARGV[3], string.rep('\0', tonumber(ARGV[5])))
redis.call('HSET', base .. ':left', ARGV[3], tonumber(ARGV[5]) / 32)
redis.call('HSET', base .. ':meta', 'blocks', math.max(tonumber(meta[3]), tonumber(ARGV[3]) + 1), 'beat', int(now))
return 1
