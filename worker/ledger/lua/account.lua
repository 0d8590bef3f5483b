local settings = require 'settings'

-- The account's state and its breaker. Hash `state`: since, rate, window_ms, factor, share_<lane>, paused_until (ms), why,
-- breaker (closed | open), opened (how often in a row), fails (5xx and timeouts in a row), receipts_at (ms), full,
-- keyless (ms: since then no worker has its key), max_age (ms),
-- by_hand (1 while a person paused it), lost_at (ms, while a loss of Redis' data waits for a person), lost_mark, lost_why.
local FIELDS = {'rate', 'window_ms', 'factor', 'share_urgent', 'share_normal', 'share_bulk', 'paused_until', 'breaker',
                'opened', 'receipts_at', 'max_age', 'throttled_at', 'fails', 'pair_ms', 'per_day', 'raised_at', 'by_hand', 'window_guard', 'inbound_at',
                'paused_at', 'lost_at'}

local account_state

local function state()
  if account_state then return account_state end
  local values = redis.call('HMGET', P .. 'state', unpack(FIELDS))
  account_state = {}
  for i, name in ipairs(FIELDS) do
    local fine = values[i] and (name == 'breaker' or tonumber(values[i]))
    account_state[name] = fine and values[i] or settings.DEFAULTS[name]
  end
  return account_state
end

-- The state is read again when it is next asked for.
local function forget()
  account_state = nil
end

local function set(...)
  redis.call('HSET', P .. 'state', ...)
  account_state = nil
end

local function paused_until()
  return tonumber(state().paused_until or '0')
end

-- When the last webhook of a kind was written: an old one that is sent again does not look like news.
local function came(field, at)
  at = math.min(at, now)
  if at > tonumber(redis.call('HGET', P .. 'state', field) or '0') then redis.call('HSET', P .. 'state', field, int(at)) end
end

return {state = state, forget = forget, set = set, paused_until = paused_until, came = came}
