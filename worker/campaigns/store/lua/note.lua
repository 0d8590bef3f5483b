#!lua flags=allow-oom
-- Write facts of a campaign, if it is still there. KEYS[1] prefix; ARGV 1 campaign, then field, value pairs. Returns 1 or 0.
local key = P .. 'c:' .. ARGV[1] .. ':meta'
if redis.call('HEXISTS', key, 'status') == 0 then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
return 1
