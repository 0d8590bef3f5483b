-- Remove a campaign.
-- KEYS[1] prefix; ARGV 1 campaign, 2 the statuses in which it may be removed, joined by commas.
-- Returns {"dropped"}, {"missing"}, or {the status that forbids it}.
local base = P .. 'c:' .. ARGV[1]
local meta = redis.call('HMGET', base .. ':meta', 'status', 'blocks')
if not meta[1] then
  redis.call('ZREM', P .. 'campaigns', ARGV[1])
  return {'missing'}
end
if not string.find(',' .. ARGV[2] .. ',', ',' .. meta[1] .. ',', 1, true) then return {meta[1]} end
if redis.call('SCARD', base .. ':enqueued') > 0 or tonumber(redis.call('HGET', base .. ':count', 'held') or '0') > 0 then return {'not at rest yet'} end
for block = 0, tonumber(meta[2]) - 1 do redis.call('UNLINK', base .. ':s:' .. block) end
redis.call('UNLINK', base .. ':blocks', base .. ':own', base .. ':count', base .. ':left', base .. ':enqueued', base .. ':meta')
redis.call('ZREM', P .. 'campaigns', ARGV[1])
redis.call('SREM', P .. 'campaigns_on', ARGV[1])
return {'dropped'}
