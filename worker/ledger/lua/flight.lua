-- Jobs in flight: hash `fl`, tail -> "<r|c|s>|fence|token|sent_at ms|lane" (released, claimed, started).
local function flight_of(tail)
  local value = redis.call('HGET', P .. 'fl', tail)
  if not value then return nil end
  local step, fence, token, sent, lane = string.match(value, '^(%a)|(%d+)|([^|]*)|(%d+)|(%a+)$')
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

-- One more send whose outcome nobody knows: hash `maybe`, tail -> 1, or 2 when there were two or more.
local function may_be_sent(tail, head)
  if head.policy == 'always' then return end
  redis.call('HSET', P .. 'maybe', tail, redis.call('HEXISTS', P .. 'maybe', tail) == 1 and '2' or '1')
end

local function add_attempt(tail, entry, attempts, crashes)
  redis.call('HSET', P .. 'tries', tail, attempts .. ':' .. crashes)
  if entry and entry ~= '' then
    redis.call('RPUSH', P .. 'log:' .. tail, entry)
    redis.call('LTRIM', P .. 'log:' .. tail, -10, -1)
  end
end

-- A dead letter keeps its record, its attempts and says why.
local function die(tail, raw, head, reason, error, status)
  leave(tail, head)
  local attempts = tries_of(tail)
  local maybe = redis.call('HGET', P .. 'maybe', tail)
  local ambiguous = maybe == '2' and 1 or 0
  count('dead|' .. reason)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|dead')
  tell(tail, raw, 'dead')
  local fields = {reason = reason, error = error, status = status}
  if campaign_job(tail) then
    campaign_part('fold')(tail, raw, head, 'dead', fields, maybe)
    redis.call('DEL', P .. 'j:' .. tail, P .. 'log:' .. tail)
    redis.call('HDEL', P .. 'tries', tail)
    redis.call('HDEL', P .. 'maybe', tail)
    return
  end
  redis.call('SET', P .. 'd:' .. tail, cjson.encode({reason = reason, error = error, status = status, at = now, op = head.op,
    lane = head.lane, group = head.group, attempts = attempts, ambiguous = ambiguous}))
  redis.call('ZADD', P .. 'dead', now, tail)
end

-- A receipt, or a late answer, has proved meanwhile that a send was accepted: the job is done, whatever this attempt
-- came to. `doubtful`: this attempt may have been accepted too.
local function known_accepted(tail, raw, head, doubtful)
  local proof = proof_of(tail)
  if not proof then return false end
  if doubtful then may_be_sent(tail, head) end
  count('late|' .. head.op)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|accepted')
  finish(tail, raw, head, 'done', {provider = proof.provider, message = 'settled by a receipt', keep = 259200,
                                   keep_record = true, attempt = doubtful and 1 or 0})
  return true
end

-- It may have been sent: hold it for a receipt if it may be repeated, else a person decides.
local function outcome_unknown(tail, raw, head, error, hold_ms, retry_ms)
  count('outcome|' .. head.op .. '|' .. head.lane .. '|unknown')
  local attempts = tries_of(tail)
  may_be_sent(tail, head)
  if head.policy == 'always' then
    if attempts >= head.max then return die(tail, raw, head, 'max_attempts', error) end
    return to_ready(tail, head, now + retry_ms)
  end
  local receipts = tonumber(account().receipts_at or '0')
  if head.policy == 'after_hold' and receipts > now - 3600000 and attempts < head.max then
    forget_flight(tail, head.lane)
    local till = now + hold_ms
    if head.expires > 0 then till = math.min(till, head.expires) end
    redis.call('ZADD', P .. 'held', till, tail)
    return
  end
  die(tail, raw, head, 'unknown_outcome', error)
end
