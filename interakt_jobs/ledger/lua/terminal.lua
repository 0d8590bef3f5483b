-- How a job ends. The short terminal string over the record's key is
-- `=<done|cancelled>|op|lane|ended ms|attempts|ambiguous 0/1|HTTP status|provider id|delivery|message`, then, while a receipt
-- may still make it worth replaying, a newline and the record.
local function forget_flight(tail, lane)
  local known = redis.call('HDEL', P .. 'fl', tail) == 1
  redis.call('ZREM', P .. 'rel:' .. lane, tail)
  redis.call('ZREM', P .. 'run:' .. lane, tail)
  return known
end

local function leave(tail, head)
  if not forget_flight(tail, head.lane) then
    redis.call('ZREM', P .. 'ready:' .. head.lane, tail)
    redis.call('ZREM', P .. 'held', tail)
    if head.group ~= '' then redis.call('ZREM', P .. 'parked:' .. head.group, tail) end
  end
  if head.expires > 0 then redis.call('ZREM', P .. 'expires', tail) end
end

-- Attempts and crashes so far, and whether they are written down at all.
local function tries_of(tail)
  local tries = redis.call('HGET', P .. 'tries', tail)
  local attempts, crashes = string.match(tries or '0:0', '^(%d+):(%d+)$')
  return tonumber(attempts), tonumber(crashes), tries and true
end

-- `on_done` asks for a message to the caller's own Celery: written here, published by the outbox.
local MOST_OUTBOX = 200000
local function notify(tail, wish, event, state)
  if type(wish.on_done) ~= 'string' then return end
  local length = redis.call('RPUSH', P .. 'outbox', cjson.encode({id = tail, state = state, task = wish.on_done,
    queue = type(wish.on_done_queue) == 'string' and wish.on_done_queue or nil, event = event}))
  if length > MOST_OUTBOX then  -- nobody publishes: no broker is set, or it is away for long
    redis.call('LPOP', P .. 'outbox')
    count('outbox_dropped')
  end
  if redis.call('LLEN', P .. 'bell') == 0 then redis.call('RPUSH', P .. 'bell', '1') end
end

local function tell(tail, raw, state)
  redis.call('PUBLISH', P .. 'ended:' .. tail, state)
  local wish = options(raw)
  if wish.on_done then notify(tail, wish, 'ended', state) end
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

-- A receipt for a job that is done. The delivery field is `<rank>.<kind>.<at ms>.<code>`; a higher rank wins.
local function delivery(tail, raw, kind, rank, at, code)
  local short, record = raw, nil
  local cut = string.find(raw, '\n', 1, true)
  if cut then short, record = string.sub(raw, 1, cut - 1), string.sub(raw, cut + 1) end
  local now_head = header(record)
  if now_head and of_an_earlier_round(tail, now_head, at) then return 'old' end
  local before, known, after = string.match(short, '^(=%a+|[^|]*|[^|]*|%d+|%d+|%d|[^|]*|[^|]*|)([^|]*)(|.*)$')
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
  if wish.on_receipts then notify(tail, wish, 'receipt', kind) end
  return resent() and 'resend' or 'new'
end

local function finish(tail, raw, head, state, fields)
  leave(tail, head)
  local attempts, _, tried = tries_of(tail)
  local maybe = redis.call('HGET', P .. 'maybe', tail)
  local ambiguous = maybe == '2' and 1 or 0
  if tried then redis.call('HDEL', P .. 'tries', tail) end
  if maybe then redis.call('HDEL', P .. 'maybe', tail) end
  redis.call('DEL', P .. 'log:' .. tail)
  if ambiguous == 1 then
    count('ambiguous|' .. head.op)
    redis.call('ZADD', P .. 'ambiguous', now, tail)
  end
  local wish = tell(tail, raw, state)
  if campaign_job(tail) then
    campaign_part('fold')(tail, raw, head, state, fields, maybe)
    redis.call('DEL', P .. 'j:' .. tail)
    return
  end
  local short = '=' .. state .. '|' .. head.op .. '|' .. head.lane .. '|' .. int(now) .. '|' .. (attempts + (fields.attempt or 0))
    .. '|' .. ambiguous .. '|' .. clean(fields.status, 3) .. '|' .. clean(fields.provider, 200) .. '||' .. clean(fields.message, 500)
  if fields.data and fields.data ~= '' then redis.call('SET', P .. 'r:' .. tail, fields.data, 'EX', fields.keep) end
  if fields.keep_record or wish.on_receipts or wish.resend_on then short = short .. '\n' .. raw end
  redis.call('SET', P .. 'j:' .. tail, short, 'EX', fields.keep)
  if state == 'done' and fields.provider and fields.provider ~= '' and string.sub(head.op, 1, 9) == 'send_rcs_' then
    -- RCS callbacks carry no callbackData: they find their job by the provider's id
    redis.call('SET', P .. 'pid:' .. fields.provider, tail, 'EX', fields.keep)
  end
  local proof = state == 'done' and proof_of(tail)
  if proof then
    redis.call('DEL', P .. 'early:' .. tail)
    if proof.rank > 0 then delivery(tail, short, proof.kind, proof.rank, proof.at, proof.code) end
  end
end
