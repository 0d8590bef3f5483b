-- How a job ends. The short terminal string over the record's key is
-- `=<done|cancelled>|op|lane|ended ms|attempts|marks|HTTP status|provider id|delivery|message`, then, while something may still
-- be heard of it, a newline and the record. Marks are a sum: 1 ambiguous, and 2 or 4 if this corrects a job that was dead or cancelled.
local function forget_flight(tail, lane)
  local known = redis.call('HDEL', P .. 'fl', tail) == 1
  redis.call('ZREM', P .. 'rel:' .. lane, tail)
  redis.call('ZREM', P .. 'run:' .. lane, tail)
  return known
end

local function leave(tail, head)
  if not forget_flight(tail, head.lane) then
    redis.call('ZREM', P .. 'ready:' .. head.lane, tail)
    if redis.call('ZREM', P .. 'held', tail) == 1 then redis.call('HDEL', P .. 'ending', tail) end
    if head.group ~= '' then redis.call('ZREM', P .. 'parked:' .. head.group, tail) end
  end
  if head.expires > 0 then redis.call('ZREM', P .. 'expires', tail) end
end

-- Attempts and crashes so far, and whether they are written down at all.
local function tries_of(tail)
  local tries = redis.call('HGET', P .. 'tries', tail)
  local attempts, crashes = string.match(tries or '0:0', '^(%d+):(%d+)$')
  return tonumber(attempts or '0'), tonumber(crashes or '0'), tries and true
end

-- `on_done` asks for a message to the caller's own Celery: written here, published by the outbox. `news` has the fields of
-- interakt_jobs/event.py; left out are empty. In a round come the end, its correction and receipts by `rank`: that is the sequence.
local MOST_OUTBOX = 200000
local function notify(tail, wish, news)
  if type(wish.on_done) ~= 'string' then return end
  local round, was, rank = tonumber(redis.call('GET', P .. 'replays:' .. tail) or '0'), news.was or '', news.rank or 0
  local length = redis.call('RPUSH', P .. 'outbox', cjson.encode({id = tail, task = wish.on_done,
    queue = type(wish.on_done_queue) == 'string' and wish.on_done_queue or nil, event = news.event, state = news.state,
    reason = news.reason or '', was = was, round = round, sequence = 10 * round + 1 + (was ~= '' and 1 or 0) + rank,
    provider_id = news.provider_id or ''}))
  if length > MOST_OUTBOX then  -- nobody publishes: no broker is set, or it is away for long
    redis.call('LPOP', P .. 'outbox')
    count('outbox_dropped')
  end
  if redis.call('LLEN', P .. 'bell') == 0 then redis.call('RPUSH', P .. 'bell', '1') end
end

-- Tell of an end, or of its correction (`was` says of what). Returns the job's options.
local function tell(tail, raw, news)
  redis.call('PUBLISH', P .. 'ended:' .. tail, news.state)
  local wish = options(raw)
  news.event = news.was and 'corrected' or 'ended'
  if wish.on_done then notify(tail, wish, news) end
  return wish
end

-- Set by campaign_begin.lua: what folds an outcome (fold), a receipt, or a late answer into the recipient's slot of a campaign.
local campaign_part
local function campaign_job(tail)
  local campaign = campaign_part and string.match(tail, '^(c[a-z0-9]+)%.%d+%.%d+$')
  return campaign and redis.call('EXISTS', P .. 'c:' .. campaign .. ':meta') == 1
end

-- What tells that a send was accepted before its own answer does: a receipt, or a late answer (rank 0). Kept in
-- `early:<tail>` as `rank|kind|at ms|code|provider id`; a higher rank wins.
local function note_proof(tail, rank, kind, at, code, provider)
  local before = redis.call('GET', P .. 'early:' .. tail)
  if before and tonumber(string.match(before, '^%d+')) >= rank then return end
  redis.call('SET', P .. 'early:' .. tail, rank .. '|' .. kind .. '|' .. at .. '|' .. code .. '|' .. clean(provider, 80), 'EX', 3600)
end

local function proof_of(tail)
  local early = redis.call('GET', P .. 'early:' .. tail)
  if not early then return nil end
  local rank, kind, at, code, provider = string.match(early, '^(%d+)|(%a+)|(%d+)|([^|]*)|?(.*)$')
  return {rank = tonumber(rank), kind = kind, at = at, code = code, provider = provider}
end

-- Receipts do not say which of several replays they are for; their time does, to the second.
local function of_an_earlier_round(tail, head, at)
  return tonumber(at) < head.accepted - 1000 and redis.call('EXISTS', P .. 'replays:' .. tail) == 1
end

-- The short string of an ended job, and the record that is kept with it, if any.
local function split_ended(raw)
  local cut = string.find(raw, '\n', 1, true)
  if not cut then return raw, nil end
  return string.sub(raw, 1, cut - 1), string.sub(raw, cut + 1)
end

local RECEIPT_BOUNDS = '1000 5000 15000 60000 300000 1800000 7200000 86400000'
-- A receipt for a job that is done. The delivery field is `<rank>.<kind>.<at ms>.<code>`; a higher rank wins. `called` is when
-- its call was made (ms), if that is not when it ended.
local function delivery(tail, raw, kind, rank, at, code, called)
  local short, record = split_ended(raw)
  local now_head = header(record)
  if now_head and of_an_earlier_round(tail, now_head, at) then return 'old' end
  local before, ended, marks, provider, known, after =
    string.match(short, '^(=%a+|[^|]*|[^|]*|(%d+)|%d+|(%d)|[^|]*|([^|]*)|)([^|]*)(|.*)$')
  local wish = record and options(record) or {}
  local function resent()
    if kind ~= 'failed' then return false end
    for _, listed in ipairs(type(wish.resend_on) == 'table' and wish.resend_on or {}) do
      if tostring(listed) == code then return true end
    end
  end
  if rank <= tonumber(string.match(known, '^(%d+)') or '0') then
    -- the same failure again: whoever was told of it may have died before it was replayed
    local same = string.match(known, '^%d+%.failed%.%d+%.(.*)$') == code
    return same and resent() and 'resend' or 'old'
  end
  local keep = record and (kind == 'sent' or kind == 'failed' or wish.on_receipts)
  redis.call('SET', P .. 'j:' .. tail, before .. rank .. '.' .. kind .. '.' .. at .. '.' .. code .. after
    .. (keep and '\n' .. record or ''), 'KEEPTTL')
  if kind == 'failed' then
    redis.call('ZADD', P .. 'failed', now, tail)
    count('delivery_failed|' .. code)
  else
    redis.call('ZREM', P .. 'failed', tail)
  end
  observe('receipt', kind, math.max(0, now - (called or tonumber(ended))), RECEIPT_BOUNDS)
  if wish.on_receipts then
    local was = marks >= '4' and 'cancelled' or marks >= '2' and 'dead' or nil
    notify(tail, wish, {event = 'receipt', state = kind, reason = code, was = was, rank = rank, provider_id = provider})
  end
  return resent() and 'resend' or 'new'
end

-- End a job as done or cancelled. `fields`: provider, status, message, data, attempt (1 if this call is not counted yet), keep (seconds),
-- keep_record, was (the end that this corrects), called (as in delivery).
local function finish(tail, raw, head, state, fields)
  leave(tail, head)
  local attempts, _, tried = tries_of(tail)
  local maybe = redis.call('HGET', P .. 'maybe', tail)
  local ambiguous = maybe == '2'
  if tried then redis.call('HDEL', P .. 'tries', tail) end
  if maybe then redis.call('HDEL', P .. 'maybe', tail) end
  redis.call('DEL', P .. 'log:' .. tail)
  if ambiguous then
    count('ambiguous|' .. head.op)
    redis.call('ZADD', P .. 'ambiguous', now, tail)
  end
  local wish = tell(tail, raw, {state = state, was = fields.was, provider_id = fields.provider})
  if campaign_job(tail) then
    campaign_part('fold')(tail, raw, head, state, fields, maybe)
    redis.call('DEL', P .. 'j:' .. tail)
    return
  end
  local keep = fields.keep or setting('keep_done')
  local marks = (ambiguous and 1 or 0) + (fields.was == 'dead' and 2 or fields.was == 'cancelled' and 4 or 0)
  local short = '=' .. state .. '|' .. head.op .. '|' .. head.lane .. '|' .. int(now) .. '|' .. (attempts + (fields.attempt or 0))
    .. '|' .. marks .. '|' .. clean(fields.status, 3) .. '|' .. clean(fields.provider, 200) .. '||' .. clean(fields.message, 500)
  if fields.data and fields.data ~= '' then redis.call('SET', P .. 'r:' .. tail, fields.data, 'EX', keep) end
  local heard_of = state == 'cancelled' and (maybe or attempts > 0)
  if fields.keep_record or heard_of or wish.on_receipts or wish.resend_on then short = short .. '\n' .. raw end
  redis.call('SET', P .. 'j:' .. tail, short, 'EX', keep)
  if state == 'done' and fields.provider and fields.provider ~= '' and string.sub(head.op, 1, 9) == 'send_rcs_' then
    -- RCS callbacks carry no callbackData: they find their job by the provider's id
    redis.call('SET', P .. 'pid:' .. fields.provider, tail, 'EX', keep)
  end
  local proof = state == 'done' and proof_of(tail)
  if proof then
    redis.call('DEL', P .. 'early:' .. tail)
    if proof.rank > 0 then delivery(tail, short, proof.kind, proof.rank, proof.at, proof.code, fields.called) end
  end
end
