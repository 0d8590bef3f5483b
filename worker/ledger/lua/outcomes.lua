local callbacks = require 'callbacks'
local endings = require 'endings'
local flights = require 'flights'
local holds = require 'holds'
local places = require 'places'
local receipts = require 'receipts'

-- Count how an attempt ended.
local function tally(head, outcome)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|' .. outcome)
end

-- A dead letter keeps its record, its attempts and the reason.
local function dead_letter(job_key, raw, head, reason, error, status)
  places.remove(job_key, head)
  local attempts = places.tries(job_key)
  local possibly_sent = redis.call('HGET', P .. 'possibly_sent', job_key)
  local ambiguous = possibly_sent == '2' and 1 or 0
  count('dead|' .. reason)
  tally(head, 'dead')
  callbacks.ended(job_key, raw, {state = 'dead', reason = reason})
  if places.of_campaign(job_key) then
    require('campaigns').fold(job_key, raw, head, 'dead', {reason = reason}, possibly_sent)
    places.erase(job_key)
    return
  end
  redis.call('SET', P .. 'd:' .. job_key, cjson.encode({reason = reason, error = error, status = status, at = now, op = head.op,
    lane = head.lane, group = head.group, attempts = attempts, ambiguous = ambiguous}))
  redis.call('ZADD', P .. 'dead', now, job_key)
end

-- End a job as a dead letter, after a hold if it may have been sent. With `again` it is sent again after the hold, if receipts
-- come in.
local function dead(job_key, raw, head, reason, error, status, again)
  if holds.instead_of_end(job_key, head, {state = 'dead', reason = reason, error = error, status = status, again = again}) then return end
  dead_letter(job_key, raw, head, reason, error, status)
end

local function expired(job_key, raw, head)
  local reason = places.possibly_sent(job_key) and 'unknown_outcome' or 'expired'
  dead(job_key, raw, head, reason, 'it expired before it could be sent')
end

-- How a held job ends. An earlier version held only jobs that were to be sent again, and wrote no end.
local function ending_of(job_key)
  local fine, ending = pcall(cjson.decode, redis.call('HGET', P .. 'ending', job_key) or '')
  return fine and type(ending) == 'table' and ending or {again = true}
end

-- The hold is over and no receipt came. Returns the job's new state: ready, dead or cancelled.
local function hold_over(job_key, raw, head)
  local ending = ending_of(job_key)
  local expired = head.expires > 0 and now >= head.expires
  if ending.again and not expired and holds.receipts_come() then
    places.remove(job_key, head)
    redis.call('ZADD', P .. 'ready:' .. head.lane, now, job_key)
    if head.expires > 0 then redis.call('ZADD', P .. 'expires', head.expires, job_key) end
    if places.of_campaign(job_key) then require('campaigns').end_hold(job_key) end
    return 'ready'
  end
  if ending.state == 'cancelled' then
    endings.cancelled(job_key, raw, head)
    return 'cancelled'
  end
  local error = ending.again and expired and 'it may have been sent; it expired before it could be repeated' or ending.error
  dead_letter(job_key, raw, head, ending.reason or 'unknown_outcome', error, ending.status)
  return 'dead'
end

-- If a receipt or a late answer has proved that an earlier call was accepted, the job is done, however this attempt ended.
-- `doubtful`: this attempt may have been accepted too. Returns whether there was such a proof.
local function known_accepted(job_key, raw, head, doubtful)
  local proof = receipts.proof(job_key)
  if not proof then return false end
  if doubtful then flights.possibly_sent(job_key, head) end
  count('late|' .. head.op)
  tally(head, 'accepted')
  endings.finish(job_key, raw, head, 'done', {provider = proof.provider, message = 'settled by a receipt', keep_record = true,
                                   attempt = doubtful and 1 or 0})
  return true
end

-- The call may have been accepted: a job that is safe to repeat is repeated, others are held or become dead letters.
local function unknown(job_key, raw, head, error, retry_ms)
  tally(head, 'unknown')
  flights.possibly_sent(job_key, head)
  local left = places.tries(job_key) < head.max
  if head.policy ~= 'always' then
    dead(job_key, raw, head, 'unknown_outcome', error, nil, head.policy == 'after_hold' and left)
  elseif left then
    flights.to_ready(job_key, head, now + retry_ms)
  else
    dead(job_key, raw, head, 'max_attempts', error)
  end
end

return {tally = tally, dead = dead, expired = expired, hold_over = hold_over, known_accepted = known_accepted, unknown = unknown}
