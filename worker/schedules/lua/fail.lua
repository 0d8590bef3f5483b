--! allow-oom
-- A slot has failed: it was missed or refused, or its job is dead. KEYS[1] the schedule's hash; ARGV 1 slot (seconds), 2 when
-- that was, for people, 3 why. Returns 1, or 0 when that is known already, or when there is no such schedule any more.
local found = redis.call('HMGET', KEYS[1], 'table', 'last', 'failures')
local failures = found[3] or ''
if not found[1] or string.find(failures, ARGV[2], 1, true) then return 0 end
redis.call('HINCRBY', KEYS[1], 'failed', 1)
-- about the last hundred, so that whoever looks at the last hour again finds them
failures = string.sub(ARGV[2] .. ' ' .. string.sub(ARGV[3], 1, 100) .. '\n' .. failures, 1, 12000)
redis.call('HSET', KEYS[1], 'failures', failures)
if tonumber(ARGV[1]) >= tonumber(found[2] or 0) then redis.call('HSET', KEYS[1], 'error', ARGV[3]) end
return 1
