-- Remove a campaign.
-- KEYS[1] prefix; ARGV 1 campaign, 2 the statuses in which it may be removed, joined by commas.
-- Returns {"dropped"}, {"missing"}, or {the status that forbids it}.
local base = P .. 'c:' .. ARGV[1]
local status = redis.call('HGET', base .. ':meta', 'status')
if not status then
  redis.call('ZREM', P .. 'campaigns', ARGV[1])
  return {'missing'}
end
if not string.find(',' .. ARGV[2] .. ',', ',' .. status .. ',', 1, true) then return {status} end
if redis.call('SCARD', base .. ':enqueued') > 0 or tonumber(redis.call('HGET', base .. ':count', 'held') or '0') > 0 then return {'not at rest yet'} end
require('plan').delete(base)
redis.call('ZREM', P .. 'campaigns', ARGV[1])
redis.call('SREM', P .. 'campaigns_on', ARGV[1])
return {'dropped'}
