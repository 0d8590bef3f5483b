#!lua flags=allow-oom
-- Drop a finished job's result.
-- KEYS[1] prefix
-- ARGV 1 job_key
-- Returns "forgotten", "missing", or "alive" (not ended, or a dead letter).
local raw = redis.call('GET', P .. 'j:' .. ARGV[1])
if not raw then return 'missing' end
if string.sub(raw, 1, 1) ~= '=' then return 'alive' end
redis.call('ZREM', P .. 'failed', ARGV[1])
redis.call('DEL', P .. 'j:' .. ARGV[1], P .. 'r:' .. ARGV[1])
return 'forgotten'
