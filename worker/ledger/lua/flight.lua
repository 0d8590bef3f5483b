-- Jobs in flight: hash `fl`, tail -> "<r|c|w|s>|fence|token|sent_at ms|lane" (released, claimed, checked and waiting
-- for its permit, started). A worker that ends at `c` ended of the job, or beside it.
local function flight_of(tail)
  local value = redis.call('HGET', P .. 'fl', tail)
  if not value then return nil end
  local step, fence, token, sent, lane = string.match(value, '^(%a)|(%d+)|([^|]*)|(%d+)|(%a+)$')
  if not step then return nil end
  return {step = step, fence = tonumber(fence), token = token, sent = tonumber(sent), lane = lane}
end

-- Whether carrying a job out is a call of Interakt's API: that takes a permit and tells how the account does.
local function calls_out(op)
  return op ~= 'run_campaign'
end

local function set_flight(tail, step, fence, token, sent, lane)
  redis.call('HSET', P .. 'fl', tail, step .. '|' .. int(fence) .. '|' .. token .. '|' .. int(sent) .. '|' .. lane)
end

local function to_ready(tail, head, at)
  forget_flight(tail, head.lane)
  redis.call('ZADD', P .. 'ready:' .. head.lane, at, tail)
end

local function park(tail, head)
  forget_flight(tail, head.lane)
  redis.call('ZADD', P .. 'parked:' .. head.group, head.due, tail)
  redis.call('SADD', P .. 'parking', head.group)
end

-- One more send that may have been accepted: hash `maybe`, tail -> 1, or 2 when there were two or more; of what may always be
-- repeated 0, since a second does no harm.
local function may_be_sent(tail, head)
  local known = redis.call('HEXISTS', P .. 'maybe', tail) == 1
  redis.call('HSET', P .. 'maybe', tail, head.policy == 'always' and '0' or known and '2' or '1')
end

local function add_attempt(tail, entry, attempts, crashes)
  redis.call('HSET', P .. 'tries', tail, attempts .. ':' .. crashes)
  if entry and entry ~= '' then
    redis.call('RPUSH', P .. 'log:' .. tail, entry)
    redis.call('LTRIM', P .. 'log:' .. tail, -10, -1)
  end
end

-- A dead letter keeps its record, its attempts and says why.
local function dead_letter(tail, raw, head, reason, error, status)
  leave(tail, head)
  local attempts = tries_of(tail)
  local maybe = redis.call('HGET', P .. 'maybe', tail)
  local ambiguous = maybe == '2' and 1 or 0
  count('dead|' .. reason)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|dead')
  tell(tail, raw, {state = 'dead', reason = reason})
  if campaign_job(tail) then
    campaign_part('fold')(tail, raw, head, 'dead', {reason = reason}, maybe)
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
local function die(tail, raw, head, reason, error, status, again)
  if hold_end(tail, head, {state = 'dead', reason = reason, error = error, status = status, again = again}) then return end
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
  if ending.again and not expired and receipts_come() then
    leave(tail, head)
    redis.call('ZADD', P .. 'ready:' .. head.lane, now, tail)
    if head.expires > 0 then redis.call('ZADD', P .. 'expires', head.expires, tail) end
    if campaign_job(tail) then campaign_part('unhold')(tail) end
    return 'ready'
  end
  if ending.state == 'cancelled' then
    end_cancelled(tail, raw, head)
    return 'cancelled'
  end
  local error = ending.again and expired and 'it may have been sent; it expired before it could be repeated' or ending.error
  dead_letter(tail, raw, head, ending.reason or 'unknown_outcome', error, ending.status)
  return 'dead'
end

-- A receipt, or a late answer, has proved meanwhile that a send was accepted: the job is done, whatever this attempt
-- came to. `doubtful`: this attempt may have been accepted too.
local function known_accepted(tail, raw, head, doubtful)
  local proof = proof_of(tail)
  if not proof then return false end
  if doubtful then may_be_sent(tail, head) end
  count('late|' .. head.op)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|accepted')
  finish(tail, raw, head, 'done', {provider = proof.provider, message = 'settled by a receipt', keep_record = true,
                                   attempt = doubtful and 1 or 0})
  return true
end

-- It may have been sent: what is safe to repeat is repeated at once, the rest is held or a person decides.
local function outcome_unknown(tail, raw, head, error, retry_ms)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|unknown')
  may_be_sent(tail, head)
  local left = tries_of(tail) < head.max
  if head.policy ~= 'always' then
    die(tail, raw, head, 'unknown_outcome', error, nil, head.policy == 'after_hold' and left)
  elseif left then
    to_ready(tail, head, now + retry_ms)
  else
    die(tail, raw, head, 'max_attempts', error)
  end
end
