local account = require 'account'
local breakers = require 'breakers'
local budget = require 'budget'
local constants = require 'constants'
local flights = require 'flights'
local outcomes = require 'outcomes'
local places = require 'places'
local recipient_limits = require 'recipient_limits'
local records = require 'records'
local withdrawal = require 'withdrawal'

-- Start: the last script before HTTP. Returns {"go", ms that the permit stays fresh}, {"wait", ms}, {"back", why}, {"dead", reason}
-- or {"gone"}. The time of sending is written here, so that a worker that dies later leaves a job that may have been sent.
local PROBE_MS, FOREIGN_MS = 30000, 5000

-- A released or claimed job is started, and only then is it in `run`.
local function mark_running(job_key, fence, token, lane, lease_ms)
  redis.call('ZREM', P .. 'rel:' .. lane, job_key)
  flights.write(job_key, 's', fence, token, now, lane)
  redis.call('ZADD', P .. 'run:' .. lane, now + lease_ms, job_key)
end

-- `checked`: a worker has checked the payload.
local function one(job_key, fence, raw, lease_ms, checked)
  local flight = flights.read(job_key)
  if not flight or flight.fence ~= fence then return {'gone'} end
  local state = account.state()
  local _, _, _, guard = budget.plan(state, 0)
  local fresh = math.floor(guard / 1000)
  if flight.step == 's' then return {'go', math.max(0, fresh - (now - flight.sent))} end
  local head = records.header(raw)
  if not head then
    places.clear_flight(job_key, flight.lane)
    if records.foreign(raw) then
      redis.call('ZADD', P .. 'ready:' .. flight.lane, now + FOREIGN_MS, job_key)
    else
      records.no_header(job_key, raw)
    end
    return {'gone'}
  end
  local function dead(reason, error)
    outcomes.dead(job_key, raw, head, reason, error)
    return {'dead', reason}
  end
  local function back(why, at)
    flights.to_ready(job_key, head, at or head.due)
    return {'back', why}
  end
  if head.expires > 0 and now >= head.expires then
    outcomes.expired(job_key, raw, head)
    return {'dead', 'expired'}
  end
  if now - head.due > tonumber(state.max_age) then
    return dead('too_old', 'it waited longer than INTERAKT_MAX_AGE_SECONDS')
  end
  if head.lane == 'bulk' and head.recipient ~= '' and redis.call('SISMEMBER', P .. 'optout', head.recipient) == 1 then
    return dead('opted_out', 'the recipient has opted out')
  end
  if state.window_guard == '1' and records.has_flag(head, 's') and head.recipient ~= ''
    and now - tonumber(state.inbound_at or '0') < 86400000 and redis.call('EXISTS', P .. 'window:' .. head.recipient) == 0 then
    return dead('undeliverable_now', 'the person has not written within 24 hours: send a template')
  end
  if not records.has_flag(head, 'c') then
    mark_running(job_key, fence, flight.token, head.lane, lease_ms)
    return {'go', 60000}
  end
  local stopped = withdrawal.before_start(job_key, raw, head)
  if stopped then return {'back', stopped} end
  local till = head.group ~= '' and breakers.template_pause(head.group)
  if till and (till > now or (redis.call('GET', P .. 'probe:' .. head.group) or job_key) ~= job_key) then
    flights.park(job_key, head)
    return {'back', 'template paused'}
  end
  if account.paused_until() > now then return back('account paused') end
  if (state.lost_at or optouts_lost) and head.lane == 'bulk' then return back('data lost') end
  if state.breaker == 'open' and (redis.call('GET', P .. 'probe') or job_key) ~= job_key then return back('account probed') end
  if head.recipient ~= '' then
    local later, reason = recipient_limits.wait(head, state)
    if reason then return dead(reason, 'the most bulk messages per recipient and day were reached') end
    if later then return back('recipient limit', later) end
  end
  local wait = budget.permit(head.lane, state)
  if wait > 0 then
    if checked and flight.step ~= 'w' then flights.write(job_key, 'w', fence, flight.token, 0, head.lane) end
    return {'wait', wait}
  end
  recipient_limits.used(head, state)
  -- only a job that goes is a probe: one that waits for its permit, or is given back, would hold the others up
  if till then redis.call('SET', P .. 'probe:' .. head.group, job_key, 'PX', PROBE_MS) end
  if state.breaker == 'open' then redis.call('SET', P .. 'probe', job_key, 'PX', PROBE_MS) end
  mark_running(job_key, fence, flight.token, head.lane, lease_ms)
  count('attempts|' .. head.op)
  observe('wait', head.lane, math.max(0, now - head.due), constants.BOUNDS.wait)
  return {'go', fresh}
end

return {one = one}
