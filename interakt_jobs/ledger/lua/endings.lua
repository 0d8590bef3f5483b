local callbacks = require 'callbacks'
local places = require 'places'
local records = require 'records'
local receipts = require 'receipts'
local settings = require 'settings'

-- End a job as done or cancelled. `fields`: provider, status, message, data, attempt (1 if this call is not counted yet), keep (seconds),
-- keep_record, was (the end that this corrects), called (as in delivery).
local function finish(tail, raw, head, state, fields)
  places.remove(tail, head)
  local attempts, _, tried = places.tries(tail)
  local maybe = redis.call('HGET', P .. 'maybe', tail)
  local ambiguous = maybe == '2'
  if tried then redis.call('HDEL', P .. 'tries', tail) end
  if maybe then redis.call('HDEL', P .. 'maybe', tail) end
  redis.call('DEL', P .. 'log:' .. tail)
  if ambiguous then
    count('ambiguous|' .. head.op)
    redis.call('ZADD', P .. 'ambiguous', now, tail)
  end
  local wish = callbacks.ended(tail, raw, {state = state, was = fields.was, provider_id = fields.provider})
  if places.of_campaign(tail) then
    require('campaigns').fold(tail, raw, head, state, fields, maybe)
    redis.call('DEL', P .. 'j:' .. tail)
    return
  end
  local keep = fields.keep or settings.get('keep_done')
  local marks = (ambiguous and 1 or 0) + (fields.was == 'dead' and 2 or fields.was == 'cancelled' and 4 or 0)
  local short = '=' .. state .. '|' .. head.op .. '|' .. head.lane .. '|' .. int(now) .. '|' .. (attempts + (fields.attempt or 0))
    .. '|' .. marks .. '|' .. clean(fields.status, 3) .. '|' .. clean(fields.provider, 200) .. '||' .. clean(fields.message, 500)
  if fields.data and fields.data ~= '' then redis.call('SET', P .. 'r:' .. tail, fields.data, 'EX', keep) end
  local heard_of = state == 'cancelled' and (maybe or attempts > 0)
  if fields.keep_record or heard_of or wish.on_receipts or wish.resend_on then short = short .. '\n' .. raw end
  redis.call('SET', P .. 'j:' .. tail, short, 'EX', keep)
  if state == 'done' and fields.provider and fields.provider ~= '' and records.has_flag(head, 'p') then
    -- RCS callbacks carry no callbackData: they find their job by the provider's id
    redis.call('SET', P .. 'pid:' .. fields.provider, tail, 'EX', keep)
  end
  local proof = state == 'done' and receipts.proof(tail)
  if proof then
    redis.call('DEL', P .. 'early:' .. tail)
    if proof.rank > 0 then receipts.delivery(tail, short, proof.kind, proof.rank, proof.at, proof.code, fields.called) end
  end
end

local function cancelled(tail, raw, head)
  local sent = redis.call('HEXISTS', P .. 'maybe', tail) == 1
  finish(tail, raw, head, 'cancelled', {message = sent and 'it may have been sent before: the answer to a call was lost' or ''})
end

return {finish = finish, cancelled = cancelled}
