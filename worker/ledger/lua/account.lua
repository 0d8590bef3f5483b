-- The account's state and its breaker. Hash `state`: since, rate, window_ms, factor, share_<lane>, paused_until (ms), why,
-- breaker (closed | open), opened (how often in a row), fails (5xx and timeouts in a row), receipts_at (ms), full,
-- keyless (ms: since then no worker has its key), max_age (ms),
-- by_hand (1 while a person paused it), lost_at (ms, while a loss of Redis' data waits for a person), lost_mark, lost_why.
local FIELDS = {'rate', 'window_ms', 'factor', 'share_urgent', 'share_normal', 'share_bulk', 'paused_until', 'breaker',
                'opened', 'receipts_at', 'max_age', 'throttled_at', 'fails', 'pair_ms', 'per_day', 'raised_at', 'by_hand', 'window_guard', 'inbound_at',
                'paused_at', 'lost_at'}
local account_state

local function account()
  if account_state then return account_state end
  local values = redis.call('HMGET', P .. 'state', unpack(FIELDS))
  account_state = {}
  for i, name in ipairs(FIELDS) do account_state[name] = values[i] or DEFAULTS[name] end
  return account_state
end

local function set_account(...)
  redis.call('HSET', P .. 'state', ...)
  account_state = nil
end

local function paused_until()
  return tonumber(account().paused_until or '0')
end

-- Open the breaker: nothing of the account goes out until `for_ms` have passed, then one probe.
-- A call that had left before it opened says nothing new: `sent` is when.
local function open_breaker(why, for_ms, sent)
  if sent < tonumber(account().paused_at or '0') then return end
  local opened = tonumber(account().opened or '0')
  if paused_until() > now and (account().breaker == 'open' or account().by_hand == '1') then return end
  local pause = math.min(for_ms * 2 ^ math.min(opened, 10), 900000)
  set_account('breaker', 'open', 'why', why, 'opened', opened + 1, 'paused_at', int(now), 'by_hand', 0,
    'paused_until', int(math.max(now + pause, paused_until())))
  redis.call('DEL', P .. 'probe')
  count('breaker|' .. (string.match(why, '^%a+') or 'open'))
end

-- What an answered call says of the account: the breaker closes if it was sent after it had opened, a cut rate recovers by one twentieth each five seconds.
local function call_succeeded(sent)
  local state = account()
  if state.breaker == 'open' then
    if sent < tonumber(state.paused_at or '0') then return end
    set_account('breaker', 'closed', 'why', '', 'opened', 0, 'paused_until', 0, 'fails', 0)
    redis.call('DEL', P .. 'probe')
  elseif state.fails and state.fails ~= '0' then
    set_account('fails', 0)
  end
  local factor = tonumber(state.factor or '1')
  if factor < 1 and now - tonumber(state.raised_at or '0') >= 5000 then
    set_account('factor', string.format('%.3f', math.min(1, factor + 0.05)), 'raised_at', int(now))
  end
end

-- A 429 although we kept to the limit: pause, cut the rate once per pause, spend no attempt.
local function throttled(retry_after_ms)
  local state = account()
  local fresh = now - tonumber(state.throttled_at or '0') > 2000
  local strikes = tonumber(redis.call('HGET', P .. 'state', 'strikes') or '0')
  if fresh then
    strikes = now - tonumber(state.throttled_at or '0') > 120000 and 1 or strikes + 1
    local factor = math.max(0.1, tonumber(state.factor or '1') * 0.5)
    set_account('factor', string.format('%.3f', factor), 'strikes', strikes, 'throttled_at', int(now), 'raised_at', int(now))
  end
  local pause = retry_after_ms > 0 and retry_after_ms or math.min(60000, 1000 * 2 ^ math.min(math.max(strikes - 1, 0), 6))
  if paused_until() < now + pause then
    set_account('paused_until', int(now + pause), 'why', 'throttled: HTTP 429', 'paused_at', int(now))
  end
end

-- A burst of 5xx or timeouts slows and probes the account.
local function call_failed(sent)
  if sent < tonumber(account().paused_at or '0') then return end
  local fails = redis.call('HINCRBY', P .. 'state', 'fails', 1)
  account_state = nil
  if fails >= 10 then open_breaker('unavailable: 5xx or timeouts in a row', 1000, sent) end
end

-- A paused template: `groups` holds group -> "until ms|how often in a row|why".
local function group_pause(group)
  local value = redis.call('HGET', P .. 'groups', group)
  if not value then return nil end
  local till, times, why = string.match(value, '^(%d+)|(%d+)|(.*)$')
  return tonumber(till), tonumber(times), why
end

local function pause_group(group, why, for_ms)
  local till, times = group_pause(group)
  if till and till > now then return end
  times = (times or 0) + 1
  local pause = for_ms or math.min(900000, 30000 * 2 ^ math.min(times - 1, 5))
  redis.call('HSET', P .. 'groups', group, int(now + pause) .. '|' .. times .. '|' .. why)
  redis.call('ZADD', P .. 'decided', 'GT', int(now), group)
  redis.call('DEL', P .. 'probe:' .. group)
  count('template_paused')
end

-- A half-open account or template lets one job through; who ends its attempt lets the next one try.
local function drop_probes(tail, head)
  if redis.call('GET', P .. 'probe') == tail then redis.call('DEL', P .. 'probe') end
  if head.group ~= '' and redis.call('GET', P .. 'probe:' .. head.group) == tail then
    redis.call('DEL', P .. 'probe:' .. head.group)
  end
end

-- When the last webhook of a kind was written: an old one that is sent again does not look like news.
local function came(field, at)
  at = math.min(at, now)
  if at > tonumber(redis.call('HGET', P .. 'state', field) or '0') then redis.call('HSET', P .. 'state', field, int(at)) end
end
