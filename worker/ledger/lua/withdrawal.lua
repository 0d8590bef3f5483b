local endings = require 'endings'
local outcomes = require 'outcomes'
local places = require 'places'

-- A campaign's enqueued job can be taken back while no call of it was an attempt or may have been accepted.
local function untried(job_key)
  return places.tries(job_key) == 0 and not places.possibly_sent(job_key)
end

-- Called before each start. Returns nil if the job may go; else why not, and the job has been taken back, has ended or waits.
local function before_start(job_key, raw, head)
  if not places.of_campaign(job_key) then return nil end
  local campaign, _, index = require('campaigns').split(job_key)
  local status = redis.call('HGET', P .. 'c:' .. campaign .. ':meta', 'status')
  if status == 'cancelled' or not status then
    if places.possibly_sent(job_key) then
      outcomes.dead(job_key, raw, head, 'unknown_outcome', 'the campaign was cancelled')
    else
      endings.finish(job_key, raw, head, 'cancelled', {keep = 60})
    end
    return 'campaign cancelled'
  end
  local closes = require('campaigns').option(raw, 'until')
  if status == 'running' and (closes == 0 or now < closes) then return nil end
  if untried(job_key) then
    require('campaigns').dequeue(job_key, raw, head, campaign, index)
  else
    places.clear_flight(job_key, head.lane)
    redis.call('ZADD', P .. 'ready:' .. head.lane, now + (status == 'running' and 60000 or 5000), job_key)
  end
  return status == 'running' and 'window closed' or 'campaign ' .. status
end

return {untried = untried, before_start = before_start}
