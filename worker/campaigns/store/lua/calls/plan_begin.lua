-- Begin a plan, and remove what an unfinished one has left.
-- KEYS[1] prefix; ARGV 1 campaign, 2 the planner's token, then field, value pairs of the meta hash.
-- Returns {"begun"}, or {the status that forbids it}.
local base = P .. 'c:' .. ARGV[1]
local status = redis.call('HGET', base .. ':meta', 'status')
if status and status ~= 'planning' then return {status} end
require('plan').delete(base)
redis.call('ZADD', P .. 'campaigns', now, ARGV[1])
redis.call('HSET', base .. ':meta', 'status', 'planning', 'planner', ARGV[2], 'blocks', 0, 'created', int(now))
for i = 3, #ARGV, 2 do redis.call('HSET', base .. ':meta', ARGV[i], ARGV[i + 1]) end
return {'begun'}
