local endings = require 'endings'
local outcomes = require 'outcomes'
local places = require 'places'

-- Taking a campaign's fed job back before it is sent.
-- No call of this job counts as an attempt and none may have been accepted, so it can be taken back.
local function untried(tail)
  return places.tries(tail) == 0 and redis.call('HEXISTS', P .. 'maybe', tail) == 0
end

-- Asked before each start: nil when the job may go, else why it may not. It has then been taken back, ended, or waits.
local function before_start(tail, raw, head)
  if not places.of_campaign(tail) then return nil end
  local campaign, _, index = require('campaigns').split(tail)
  local status = redis.call('HGET', P .. 'c:' .. campaign .. ':meta', 'status')
  if status == 'cancelled' or not status then
    if redis.call('HEXISTS', P .. 'maybe', tail) == 1 then
      outcomes.dead(tail, raw, head, 'unknown_outcome', 'the campaign was cancelled')
    else
      endings.finish(tail, raw, head, 'cancelled', {keep = 60})
    end
    return 'campaign cancelled'
  end
  local closes = require('campaigns').option(raw, 'until')
  if status == 'running' and (closes == 0 or now < closes) then return nil end
  if untried(tail) then
    require('campaigns').dequeue(tail, raw, head, campaign, index)
  else
    places.clear_flight(tail, head.lane)
    redis.call('ZADD', P .. 'ready:' .. head.lane, now + (status == 'running' and 60000 or 5000), tail)
  end
  return status == 'running' and 'window closed' or 'campaign ' .. status
end

return {untried = untried, before_start = before_start}
