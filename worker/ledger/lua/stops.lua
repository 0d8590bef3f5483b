-- Taking a campaign's fed job back before it is sent; needs campaigns and flight.
-- No call of this job counts as an attempt and none may have been accepted, so it can be taken back.
local function campaign_untried(tail)
  return tries_of(tail) == 0 and redis.call('HEXISTS', P .. 'maybe', tail) == 0
end

-- Asked before each start: nil when the job may go, else why it may not. It has then been taken back, ended, or waits.
local function campaign_stops(tail, raw, head)
  if not campaign_job(tail) then return nil end
  local campaign, _, index = campaign_part('tail')(tail)
  local status = redis.call('HGET', P .. 'c:' .. campaign .. ':meta', 'status')
  if status == 'cancelled' or not status then
    if redis.call('HEXISTS', P .. 'maybe', tail) == 1 then
      die(tail, raw, head, 'unknown_outcome', 'the campaign was cancelled')
    else
      finish(tail, raw, head, 'cancelled', {keep = 60})
    end
    return 'campaign cancelled'
  end
  local closes = campaign_part('option')(raw, 'until')
  if status == 'running' and (closes == 0 or now < closes) then return nil end
  if campaign_untried(tail) then
    campaign_part('unfeed')(tail, raw, head, campaign, index)
  else
    forget_flight(tail, head.lane)
    redis.call('ZADD', P .. 'ready:' .. head.lane, now + (status == 'running' and 60000 or 5000), tail)
  end
  return status == 'running' and 'window closed' or 'campaign ' .. status
end
