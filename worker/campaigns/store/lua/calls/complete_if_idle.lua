#!lua flags=allow-oom
-- Called when the feeder has nothing to do for a campaign. A running one is done when nobody is planned, enqueued or held. One that
-- is done, or paused or cancelled and withdrawn, leaves the set of campaigns that the feeder looks at.
-- KEYS[1] prefix; ARGV 1 campaign. Returns the status.
local base = P .. 'c:' .. ARGV[1]
local meta = redis.call('HMGET', base .. ':meta', 'status', 'opening')
local status = meta[1]
if redis.call('SCARD', base .. ':enqueued') > 0 then return status or 'missing' end
local counts = redis.call('HMGET', base .. ':count', 'planned', 'held')
local left, held = tonumber(counts[1] or '0'), tonumber(counts[2] or '0')
if status == 'running' then
  if left > 0 or held > 0 or (meta[2] and meta[2] ~= '') then return status end
  redis.call('HSET', base .. ':meta', 'status', 'done', 'why', '', 'done_at', int(now))
  require('audit').note('campaign_done', 'campaign', ARGV[1])
  status = 'done'
end
if status ~= 'cancelled' or left == 0 then redis.call('SREM', P .. 'campaigns_on', ARGV[1]) end
return status or 'missing'
