local account = require 'account'

-- Open the breaker: nothing of the account is sent for `for_ms`, and then one job as a probe.
-- `sent` is when the call was made: one made before the breaker opened changes nothing.
local function open(why, for_ms, sent)
  if sent < tonumber(account.state().paused_at or '0') then return end
  local opened = tonumber(account.state().opened or '0')
  if account.paused_until() > now and (account.state().breaker == 'open' or account.state().by_hand == '1') then return end
  local pause = math.min(for_ms * 2 ^ math.min(opened, 10), 900000)
  account.set('breaker', 'open', 'why', why, 'opened', opened + 1, 'paused_at', int(now), 'by_hand', 0,
    'paused_until', int(math.max(now + pause, account.paused_until())))
  redis.call('DEL', P .. 'probe')
  count('breaker|' .. (string.match(why, '^%a+') or 'open'))
end

-- A call was answered: the breaker closes if the call was made after it opened, and a cut rate recovers by one twentieth every
-- five seconds.
local function call_succeeded(sent)
  local state = account.state()
  if state.breaker == 'open' then
    if sent < tonumber(state.paused_at or '0') then return end
    account.set('breaker', 'closed', 'why', '', 'opened', 0, 'paused_until', 0, 'fails', 0)
    redis.call('DEL', P .. 'probe')
  elseif state.fails and state.fails ~= '0' then
    account.set('fails', 0)
  end
  local factor = tonumber(state.factor or '1')
  if factor < 1 and now - tonumber(state.raised_at or '0') >= 5000 then
    account.set('factor', string.format('%.3f', math.min(1, factor + 0.05)), 'raised_at', int(now))
  end
end

-- Interakt answered 429: pause the account, and halve its rate once per pause.
local function throttled(retry_after_ms)
  local state = account.state()
  local fresh = now - tonumber(state.throttled_at or '0') > 2000
  local strikes = tonumber(redis.call('HGET', P .. 'state', 'strikes') or '0')
  if fresh then
    strikes = now - tonumber(state.throttled_at or '0') > 120000 and 1 or strikes + 1
    local factor = math.max(0.1, tonumber(state.factor or '1') * 0.5)
    account.set('factor', string.format('%.3f', factor), 'strikes', strikes, 'throttled_at', int(now), 'raised_at', int(now))
  end
  local pause = retry_after_ms > 0 and retry_after_ms or math.min(60000, 1000 * 2 ^ math.min(math.max(strikes - 1, 0), 6))
  if account.paused_until() < now + pause then
    account.set('paused_until', int(now + pause), 'why', 'throttled: HTTP 429', 'paused_at', int(now))
  end
end

-- A 5xx or a timeout: ten in a row open the breaker.
local function call_failed(sent)
  if sent < tonumber(account.state().paused_at or '0') then return end
  local fails = redis.call('HINCRBY', P .. 'state', 'fails', 1)
  account.forget()
  if fails >= 10 then open('unavailable: 5xx or timeouts in a row', 1000, sent) end
end

-- A paused template: `groups` holds group -> "until ms|how often in a row|why".
local function template_pause(group)
  local value = redis.call('HGET', P .. 'groups', group)
  if not value then return nil end
  local till, times, why = string.match(value, '^(%d+)|(%d+)|(.*)$')
  return tonumber(till), tonumber(times), why
end

local function pause_template(group, why, for_ms)
  local till, times = template_pause(group)
  if till and till > now then return end
  times = (times or 0) + 1
  local pause = for_ms or math.min(900000, 30000 * 2 ^ math.min(times - 1, 5))
  redis.call('HSET', P .. 'groups', group, int(now + pause) .. '|' .. times .. '|' .. why)
  redis.call('ZADD', P .. 'decided', 'GT', int(now), group)
  redis.call('DEL', P .. 'probe:' .. group)
  count('template_paused')
end

-- After a pause an account or a template lets one job through, the probe. When its attempt ends, the next job may be one.
local function drop_probes(job_key, head)
  if redis.call('GET', P .. 'probe') == job_key then redis.call('DEL', P .. 'probe') end
  if head.group ~= '' and redis.call('GET', P .. 'probe:' .. head.group) == job_key then
    redis.call('DEL', P .. 'probe:' .. head.group)
  end
end

return {open = open, call_succeeded = call_succeeded, throttled = throttled, call_failed = call_failed,
        template_pause = template_pause, pause_template = pause_template, drop_probes = drop_probes}
