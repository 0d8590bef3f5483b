local callbacks = require 'callbacks'
local constants = require 'constants'
local records = require 'records'

-- Receipts, and what they prove.

-- Keep the proof that a send was accepted until its own answer comes: a receipt, or a late answer (rank 0). It is at
-- `early:<job_key>` as `rank|kind|at ms|code|provider id`; a higher rank wins.
local function note_proof(job_key, rank, kind, at, code, provider)
  local before = redis.call('GET', P .. 'early:' .. job_key)
  if before and tonumber(string.match(before, '^%d+')) >= rank then return end
  redis.call('SET', P .. 'early:' .. job_key, rank .. '|' .. kind .. '|' .. at .. '|' .. code .. '|' .. clean(provider, 80), 'EX', 3600)
end

-- The proof that was kept for a job, or nil.
local function proof(job_key)
  local early = redis.call('GET', P .. 'early:' .. job_key)
  if not early then return nil end
  local rank, kind, at, code, provider = string.match(early, '^(%d+)|(%a+)|(%d+)|([^|]*)|?(.*)$')
  if not rank then return nil end
  return {rank = tonumber(rank), kind = kind, at = at, code = code, provider = provider}
end

-- Whether a receipt is for a round before the job's replay. Only its time tells them apart, to the second.
local function of_earlier_round(job_key, head, at)
  return tonumber(at) < head.accepted - 1000 and redis.call('EXISTS', P .. 'replays:' .. job_key) == 1
end

-- Apply a receipt to a job that is done. The delivery field is `<rank>.<kind>.<at ms>.<code>`; a higher rank wins. `called` is
-- when the call was made (ms), if that is not when the job ended. Returns 'new', 'old', or 'resend' for a code of `resend_on`.
local function delivery(job_key, raw, kind, rank, at, code, called)
  local short, record = records.split_ended(raw)
  local now_head = records.header(record)
  if now_head and of_earlier_round(job_key, now_head, at) then return 'old' end
  local before, ended, marks, provider, known, after =
    string.match(short, '^(=%a+|[^|]*|[^|]*|(%d+)|%d+|(%d)|[^|]*|([^|]*)|)([^|]*)(|.*)$')
  local options = record and records.options(record) or {}
  local function resent()
    if kind ~= 'failed' then return false end
    for _, listed in ipairs(type(options.resend_on) == 'table' and options.resend_on or {}) do
      if tostring(listed) == code then return true end
    end
  end
  if rank <= tonumber(string.match(known, '^(%d+)') or '0') then
    -- the same failure again: the process that took it first may have died before the replay
    local same = string.match(known, '^%d+%.failed%.%d+%.(.*)$') == code
    return same and resent() and 'resend' or 'old'
  end
  local keep = record and (kind == 'sent' or kind == 'failed' or options.on_receipts)
  redis.call('SET', P .. 'j:' .. job_key, before .. rank .. '.' .. kind .. '.' .. at .. '.' .. code .. after
    .. (keep and '\n' .. record or ''), 'KEEPTTL')
  if kind == 'failed' then
    redis.call('ZADD', P .. 'failed', now, job_key)
    count('delivery_failed|' .. code)
  else
    redis.call('ZREM', P .. 'failed', job_key)
  end
  observe('receipt', kind, math.max(0, now - (called or tonumber(ended))), constants.BOUNDS.receipt)
  if options.on_receipts then
    local was = marks >= '4' and 'cancelled' or marks >= '2' and 'dead' or nil
    callbacks.notify(job_key, options, {event = 'receipt', state = kind, reason = code, was = was, rank = rank, provider_id = provider})
  end
  return resent() and 'resend' or 'new'
end

return {note_proof = note_proof, proof = proof, of_earlier_round = of_earlier_round, delivery = delivery}
