local callbacks = require 'callbacks'
local places = require 'places'
local records = require 'records'
local receipts = require 'receipts'
local settings = require 'settings'

-- End a job as done or cancelled. `fields` are provider, status, message and data of the answer, attempt (1 if this call is not
-- counted yet), keep (seconds), keep_record, was (the end that this corrects) and called (as in receipts.delivery).
local function finish(job_key, raw, head, state, fields)
  places.remove(job_key, head)
  local attempts, _, tried = places.tries(job_key)
  local possibly_sent = redis.call('HGET', P .. 'possibly_sent', job_key)
  local ambiguous = possibly_sent == '2'
  if tried then redis.call('HDEL', P .. 'tries', job_key) end
  if possibly_sent then redis.call('HDEL', P .. 'possibly_sent', job_key) end
  redis.call('DEL', P .. 'log:' .. job_key)
  if ambiguous then
    count('ambiguous|' .. head.op)
    redis.call('ZADD', P .. 'ambiguous', now, job_key)
  end
  local options = callbacks.ended(job_key, raw, {state = state, was = fields.was, provider_id = fields.provider})
  if places.of_campaign(job_key) then
    require('campaigns').fold(job_key, raw, head, state, fields, possibly_sent)
    redis.call('DEL', P .. 'j:' .. job_key)
    return
  end
  local keep = fields.keep or settings.get('keep_done')
  local marks = (ambiguous and 1 or 0) + (fields.was == 'dead' and 2 or fields.was == 'cancelled' and 4 or 0)
  local short = '=' .. state .. '|' .. head.op .. '|' .. head.lane .. '|' .. int(now) .. '|' .. (attempts + (fields.attempt or 0))
    .. '|' .. marks .. '|' .. clean(fields.status, 3) .. '|' .. clean(fields.provider, 200) .. '||' .. clean(fields.message, 500)
  if fields.data and fields.data ~= '' then redis.call('SET', P .. 'r:' .. job_key, fields.data, 'EX', keep) end
  local may_be_corrected = state == 'cancelled' and (possibly_sent or attempts > 0)
  if fields.keep_record or may_be_corrected or options.on_receipts or options.resend_on then short = short .. '\n' .. raw end
  redis.call('SET', P .. 'j:' .. job_key, short, 'EX', keep)
  if state == 'done' and fields.provider and fields.provider ~= '' and records.has_flag(head, 'p') then
    -- RCS receipts carry no callbackData: they find their job by the provider's id
    redis.call('SET', P .. 'pid:' .. fields.provider, job_key, 'EX', keep)
  end
  local proof = state == 'done' and receipts.proof(job_key)
  if proof then
    redis.call('DEL', P .. 'early:' .. job_key)
    if proof.rank > 0 then receipts.delivery(job_key, short, proof.kind, proof.rank, proof.at, proof.code, fields.called) end
  end
end

-- End a job as cancelled.
local function cancelled(job_key, raw, head)
  local sent = places.possibly_sent(job_key)
  finish(job_key, raw, head, 'cancelled', {message = sent and 'it may have been sent before: the answer to a call was lost' or ''})
end

return {finish = finish, cancelled = cancelled}
