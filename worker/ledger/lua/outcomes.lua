local callbacks = require 'callbacks'
local endings = require 'endings'
local flights = require 'flights'
local holds = require 'holds'
local places = require 'places'
local receipts = require 'receipts'

-- A dead letter keeps its record, its attempts and says why.
local function dead_letter(tail, raw, head, reason, error, status)
  places.remove(tail, head)
  local attempts = places.tries(tail)
  local maybe = redis.call('HGET', P .. 'maybe', tail)
  local ambiguous = maybe == '2' and 1 or 0
  count('dead|' .. reason)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|dead')
  callbacks.ended(tail, raw, {state = 'dead', reason = reason})
  if places.of_campaign(tail) then
    require('campaigns').fold(tail, raw, head, 'dead', {reason = reason}, maybe)
    redis.call('DEL', P .. 'j:' .. tail, P .. 'log:' .. tail)
    redis.call('HDEL', P .. 'tries', tail)
    redis.call('HDEL', P .. 'maybe', tail)
    return
  end
  redis.call('SET', P .. 'd:' .. tail, cjson.encode({reason = reason, error = error, status = status, at = now, op = head.op,
    lane = head.lane, group = head.group, attempts = attempts, ambiguous = ambiguous}))
  redis.call('ZADD', P .. 'dead', now, tail)
end

-- End a job as a dead letter, after a hold if it may have been sent; `again` sends it again after the hold if receipts come.
local function dead(tail, raw, head, reason, error, status, again)
  if holds.instead_of_end(tail, head, {state = 'dead', reason = reason, error = error, status = status, again = again}) then return end
  dead_letter(tail, raw, head, reason, error, status)
end

-- The end that a held job waits with. An earlier version held only what was to be sent again, and wrote none.
local function ending_of(tail)
  local fine, ending = pcall(cjson.decode, redis.call('HGET', P .. 'ending', tail) or '')
  return fine and type(ending) == 'table' and ending or {again = true}
end

-- The hold is over and no receipt came. Returns the state that the job came to: ready, dead or cancelled.
local function hold_over(tail, raw, head)
  local ending = ending_of(tail)
  local expired = head.expires > 0 and now >= head.expires
  if ending.again and not expired and holds.receipts_come() then
    places.remove(tail, head)
    redis.call('ZADD', P .. 'ready:' .. head.lane, now, tail)
    if head.expires > 0 then redis.call('ZADD', P .. 'expires', head.expires, tail) end
    if places.of_campaign(tail) then require('campaigns').end_hold(tail) end
    return 'ready'
  end
  if ending.state == 'cancelled' then
    endings.cancelled(tail, raw, head)
    return 'cancelled'
  end
  local error = ending.again and expired and 'it may have been sent; it expired before it could be repeated' or ending.error
  dead_letter(tail, raw, head, ending.reason or 'unknown_outcome', error, ending.status)
  return 'dead'
end

-- A receipt, or a late answer, has proved meanwhile that a send was accepted: the job is done, whatever this attempt
-- came to. `doubtful`: this attempt may have been accepted too.
local function known_accepted(tail, raw, head, doubtful)
  local proof = receipts.proof(tail)
  if not proof then return false end
  if doubtful then flights.possibly_sent(tail, head) end
  count('late|' .. head.op)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|accepted')
  endings.finish(tail, raw, head, 'done', {provider = proof.provider, message = 'settled by a receipt', keep_record = true,
                                   attempt = doubtful and 1 or 0})
  return true
end

-- It may have been sent: what is safe to repeat is repeated at once, the rest is held or a person decides.
local function unknown(tail, raw, head, error, retry_ms)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|unknown')
  flights.possibly_sent(tail, head)
  local left = places.tries(tail) < head.max
  if head.policy ~= 'always' then
    dead(tail, raw, head, 'unknown_outcome', error, nil, head.policy == 'after_hold' and left)
  elseif left then
    flights.to_ready(tail, head, now + retry_ms)
  else
    dead(tail, raw, head, 'max_attempts', error)
  end
end

return {dead = dead, hold_over = hold_over, known_accepted = known_accepted, unknown = unknown}
