#!lua flags=allow-oom
-- Set fields of a campaign that exists. KEYS[1] prefix; ARGV 1 campaign, then field, value pairs. Returns 1, or 0 if it does not.
local key = P .. 'c:' .. ARGV[1] .. ':meta'
if redis.call('HEXISTS', key, 'status') == 0 then return 0 end
for i = 2, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
return 1
