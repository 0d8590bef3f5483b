local account = require 'account'
local breakers = require 'breakers'
local constants = require 'constants'
local endings = require 'endings'
local flights = require 'flights'
local outcomes = require 'outcomes'
local places = require 'places'
local proofs = require 'proofs'
local receipts = require 'receipts'
local records = require 'records'

-- Settle one attempt. `outcome` and `args` are those of worker/delivery/outcomes.py:
--   done       provider id, HTTP status, message, keep seconds, keep the record while a receipt may come ("1"), data JSON
--   dead       reason, error, HTTP status or "", attempt JSON
--   retry      delay ms, error, attempt JSON: counts an attempt
--   unknown    error, attempt JSON, retry ms: counts an attempt
--   throttled  retry-after ms
--   template   why, attempt JSON: the template pauses and the job waits for it
--   account    why, attempt JSON: the account pauses and the job goes back
--   unsent     nothing: the job goes back

-- The fence is not the job's any more, or the job has ended: only proof that it was accepted still changes something.
-- Returns gone, already (it is done) or settled (it is done now).
local function late(job_key, outcome, args)
  if outcome == 'unsent' then  -- its worker is alive and Redis was away or slow: no crash
    local attempts, crashes = places.tries(job_key)
    if crashes > 0 then redis.call('HSET', P .. 'tries', job_key, attempts .. ':' .. (crashes - 1)) end
  end
  if outcome ~= 'done' then return 'gone' end
  local raw = redis.call('GET', P .. 'j:' .. job_key)
  if not raw and places.of_campaign(job_key) then return require('campaigns').late_answer(job_key, args[1]) end
  if not raw or string.sub(raw, 1, 6) == '=done|' then return 'already' end
  if proofs.settle(job_key, raw, {provider = args[1], status = args[2], message = args[3], keep = args[4], data = args[6]}) then
    return 'settled'
  end
  if string.sub(raw, 1, 1) == '=' then return 'already' end
  if places.possibly_sent(job_key) then receipts.note_proof(job_key, 0, 'accepted', int(now), '', args[1]) end
  return 'gone'
end

-- Let the breakers of the account and of the template know the outcome of a call.
local function tell_breakers(outcome, args, head, sent)
  if outcome == 'done' or outcome == 'template' or (outcome == 'dead' and args[3] ~= '') then
    breakers.call_succeeded(sent)
  elseif outcome == 'retry' or outcome == 'unknown' then
    breakers.call_failed(sent)
  elseif outcome == 'throttled' then
    breakers.throttled(tonumber(args[1]))
  elseif outcome == 'account' then
    breakers.open(args[1], 30000, sent)
  end
  if outcome == 'template' and head.group ~= '' then breakers.pause_template(head.group, args[1]) end
  if outcome == 'done' and head.group ~= '' and redis.call('HDEL', P .. 'groups', head.group) == 1 then
    redis.call('ZADD', P .. 'decided', 'GT', int(now), head.group)
  end
end

-- Returns ok, or what `late` returns.
local function one(job_key, fence, outcome, args)
  local flight = flights.read(job_key)
  if not flight or flight.fence ~= fence then return late(job_key, outcome, args) end
  local raw = redis.call('GET', P .. 'j:' .. job_key)
  local head = records.header(raw)
  if not head then
    if not records.foreign(raw) then places.clear_flight(job_key, flight.lane) end
    return 'gone'
  end
  breakers.drop_probes(job_key, head)
  local attempts, crashes = places.tries(job_key)
  if flight.sent > 0 and outcome ~= 'unsent' then observe('call', head.op, now - flight.sent, constants.BOUNDS.call) end
  if flight.sent > 0 and records.has_flag(head, 'c') then tell_breakers(outcome, args, head, flight.sent) end
  if outcome ~= 'done' and outcomes.known_accepted(job_key, raw, head, outcome == 'unknown') then return 'ok' end
  if outcome == 'unsent' then
    flights.to_ready(job_key, head, head.due)
  elseif outcome == 'done' then
    if places.possibly_sent(job_key) then flights.possibly_sent(job_key, head) end
    outcomes.tally(head, 'accepted')
    if records.has_flag(head, 'c') then account.set('accepted_at', int(now)) end
    endings.finish(job_key, raw, head, 'done', {provider = args[1], status = args[2], message = args[3], keep = args[4],
                                     keep_record = args[5] == '1', data = args[6], attempt = 1})
  elseif outcome == 'dead' then
    flights.add_attempt(job_key, args[4], attempts + 1, crashes)
    outcomes.dead(job_key, raw, head, args[1], args[2], tonumber(args[3]))
  elseif outcome == 'retry' then
    outcomes.tally(head, 'unavailable')
    flights.add_attempt(job_key, args[3], attempts + 1, crashes)
    if attempts + 1 >= head.max then
      outcomes.dead(job_key, raw, head, 'max_attempts', args[2])
    else
      flights.to_ready(job_key, head, now + tonumber(args[1]))
    end
  elseif outcome == 'unknown' then
    flights.add_attempt(job_key, args[2], attempts + 1, crashes)
    outcomes.unknown(job_key, raw, head, args[1], tonumber(args[3]))
  elseif outcome == 'throttled' then
    outcomes.tally(head, 'throttled')
    flights.to_ready(job_key, head, head.due)
  elseif outcome == 'template' then
    flights.add_attempt(job_key, args[2], attempts, crashes)
    if head.group == '' then
      outcomes.dead(job_key, raw, head, 'rejected', args[1], 400)
    else
      flights.park(job_key, head)
    end
  elseif outcome == 'account' then
    flights.add_attempt(job_key, args[2], attempts, crashes)
    flights.to_ready(job_key, head, now)  -- behind the others, so that the next probe is another job
  end
  return 'ok'
end

return {one = one}
