-- Finish the plan: from now on the campaign can be started.
-- KEYS[1] prefix; ARGV 1 campaign, 2 the planner's token, 3 how many recipients, then field, value pairs of the meta hash.
-- Returns 1, or 0 if another planner has taken over. Safe to repeat.
local base = P .. 'c:' .. ARGV[1]
local meta = redis.call('HMGET', base .. ':meta', 'status', 'planner')
if meta[2] ~= ARGV[2] then return 0 end
if meta[1] == 'planned' then return 1 end
if meta[1] ~= 'planning' then return 0 end
redis.call('HSET', base .. ':count', 'planned', ARGV[3])
redis.call('HSET', base .. ':meta', 'status', 'planned', 'planned_at', int(now), 'recipients', ARGV[3])
for i = 4, #ARGV, 2 do redis.call('HSET', base .. ':meta', ARGV[i], ARGV[i + 1]) end
return 1
