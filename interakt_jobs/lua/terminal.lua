-- How a job ends. The short terminal string over the record's key is
-- `=<done|cancelled>|op|lane|ended ms|attempts|ambiguous 0/1|HTTP status|provider id|delivery|message`, then, while a receipt
-- may still make it worth replaying, a newline and the record.
local function forget_flight(tail, lane)
  redis.call('HDEL', P .. 'fl', tail)
  redis.call('ZREM', P .. 'rel:' .. lane, tail)
  redis.call('ZREM', P .. 'run:' .. lane, tail)
end

local function leave(tail, head)
  if redis.call('HEXISTS', P .. 'fl', tail) == 1 then
    forget_flight(tail, head.lane)
  else
    redis.call('ZREM', P .. 'ready:' .. head.lane, tail)
    redis.call('ZREM', P .. 'held', tail)
    if head.group ~= '' then redis.call('ZREM', P .. 'parked:' .. head.group, tail) end
  end
  if head.expires > 0 then redis.call('ZREM', P .. 'expires', tail) end
end

local function tries_of(tail)
  local attempts, crashes = string.match(redis.call('HGET', P .. 'tries', tail) or '0:0', '^(%d+):(%d+)$')
  return tonumber(attempts), tonumber(crashes)
end

-- `on_done` asks for a message to the caller's own Celery: written here, published by the outbox.
local function notify(tail, wish, event, state)
  redis.call('RPUSH', P .. 'outbox', cjson.encode({id = tail, state = state, task = wish.on_done,
                                                   queue = wish.on_done_queue, event = event}))
  if redis.call('LLEN', P .. 'bell') == 0 then redis.call('RPUSH', P .. 'bell', '1') end
end

local function tell(tail, raw, state)
  redis.call('PUBLISH', P .. 'ended:' .. tail, state)
  local wish = options(raw)
  if wish.on_done then notify(tail, wish, 'ended', state) end
  return wish
end

-- Set by campaigns.lua: fold an outcome, or a receipt, into the recipient's slot of a campaign.
local fold, fold_receipt

-- A receipt for a job that is done. The delivery field is `<rank>.<kind>.<at ms>.<code>`; a higher rank wins.
local function delivery(tail, raw, kind, rank, at, code)
  local short, record = raw, nil
  local cut = string.find(raw, '\n', 1, true)
  if cut then short, record = string.sub(raw, 1, cut - 1), string.sub(raw, cut + 1) end
  local before, known, after = string.match(short, '^(=%a+|[^|]*|[^|]*|%d+|%d+|%d|[^|]*|[^|]*|)([^|]*)(|.*)$')
  if rank <= tonumber(string.match(known, '^(%d+)') or '0') then return 'old' end
  local wish = record and options(record) or {}
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
  if kind == 'failed' then
    for _, listed in ipairs(wish.resend_on or {}) do
      if tostring(listed) == code then return 'resend' end
    end
  end
  return 'new'
end

local function finish(tail, raw, head, state, fields)
  leave(tail, head)
  local attempts = tries_of(tail)
  local ambiguous = redis.call('HGET', P .. 'maybe', tail) == '2' and 1 or 0
  redis.call('HDEL', P .. 'tries', tail)
  redis.call('HDEL', P .. 'maybe', tail)
  redis.call('DEL', P .. 'log:' .. tail)
  if ambiguous == 1 then
    count('ambiguous|' .. head.op)
    redis.call('ZADD', P .. 'ambiguous', now, tail)
  end
  local wish = tell(tail, raw, state)
  if fold and fold(tail, state, fields, ambiguous) then
    redis.call('DEL', P .. 'j:' .. tail)
    return
  end
  local short = '=' .. state .. '|' .. head.op .. '|' .. head.lane .. '|' .. int(now) .. '|' .. (attempts + (fields.attempt or 0))
    .. '|' .. ambiguous .. '|' .. (fields.status or '') .. '|' .. (fields.provider or '') .. '|' .. (fields.delivery or '')
    .. '|' .. (fields.message or '')
  if fields.data and fields.data ~= '' then redis.call('SET', P .. 'r:' .. tail, fields.data, 'EX', fields.keep) end
  if fields.keep_record or wish.on_receipts or wish.resend_on then short = short .. '\n' .. raw end
  redis.call('SET', P .. 'j:' .. tail, short, 'EX', fields.keep)
  local early = state == 'done' and redis.call('GETDEL', P .. 'early:' .. tail)
  if early then
    local rank, kind, at, code = string.match(early, '^(%d+)|(%a+)|(%d+)|(.*)$')
    delivery(tail, short, kind, tonumber(rank), at, code)
  end
end
