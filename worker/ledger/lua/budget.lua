-- The budget: one GCRA per account in integer microseconds, with a tolerance per lane. The limit holds in any window of
-- the provider because T = (window + guard + tolerances) / limit; see docs/budget.md.
-- State hash: rate (calls a window), window_ms, factor (cut after a 429), share_urgent, share_normal, share_bulk (percent).
-- Hash `bud`: tat (theoretical arrival time of the next call), tat_<lane> (of the lane inside its share), hint; recent, recent_at and
-- busy_since tell how busy urgent is. All times in us.
local constants = require 'constants'

local CATCH_UP = 5000        -- us that a late call may catch up; more where the urgent lane's credit covers it

local EARLY = 25000          -- us that any call may be early where there is a credit, so that no slot is lost

local LANE_TOLERANCE = 10e6  -- us that a lane may be ahead of its share; more than that is not counted

-- Calls that urgent may run ahead of the spacing: usually, and while urgent is busy, when its own bursts outgrow that.
local function credits(rate, window)
  if window < 30e6 then return 0, 0 end
  local usual = math.min(8, rate / 150 + 0.25)
  return usual, math.max(usual, math.min(4.25, rate / 60))
end

-- Reads the plan: T, the tolerance of urgent, the tolerance of the others and the guard, all in us. `busy_since` (us, or 0):
-- since then the spacing pays for the larger credit, which may be taken when it has been paid for a whole window.
local function plan(state, busy_since)
  local rate, window = tonumber(state.rate), tonumber(state.window_ms) * 1000
  local per_second = rate * 1e6 / window
  local guard = math.max(15000, window / 600)
  if per_second > 200 then guard = math.max(guard, window / 60) end
  local usual, busy = credits(rate, window)
  local span = window + guard + (usual > 0 and 0 or CATCH_UP) + 1
  local paid, credit = usual, usual
  if busy_since > 0 then
    paid = busy
    if now_us - busy_since > span then credit = busy end
  end
  local interval = span / (rate - paid)
  local tolerance = usual > 0 and math.min(interval / 4, EARLY) or CATCH_UP
  local ahead = math.max(credit * span / (rate - credit), tolerance)
  return interval / math.max(0.05, tonumber(state.factor or '1')), ahead, tolerance, guard
end

-- The urgent calls of about the last window, and since when (us) urgent is busy, or 0: from a quarter of the allowance on.
local function urgent_load(state, recent, at, busy_since)
  local rate, window = tonumber(state.rate), tonumber(state.window_ms) * 1000
  recent = recent * math.exp(math.min(0, at - now_us) / window)
  if busy_since == 0 and recent > rate / 4 then return recent, now_us end
  if recent < rate / 6 then return recent, 0 end
  return recent, busy_since
end

local function waiting(lane)
  if redis.call('ZCARD', P .. 'rel:' .. lane) > 0 then return true end
  local head = redis.call('ZRANGE', P .. 'ready:' .. lane, 0, 0, 'WITHSCORES')
  return head[2] ~= nil and tonumber(head[2]) <= now
end

-- Take a permit for `lane` now: returns 0, or the milliseconds after which to ask again (nothing is spent).
local function permit(lane, state)
  local saved = redis.call('HMGET', P .. 'bud', 'tat', 'hint', 'tat_urgent', 'tat_normal', 'tat_bulk', 'recent', 'recent_at', 'busy_since')
  for i = 1, #saved do
    if saved[i] and not tonumber(saved[i]) then
      set_aside('bud', 'no number')
      return permit(lane, state)
    end
  end
  local recent, busy_since = urgent_load(state, tonumber(saved[6] or '0'), tonumber(saved[7] or '0'), tonumber(saved[8] or '0'))
  local interval, urgent_tolerance, tolerance = plan(state, busy_since)
  local tat = math.max(tonumber(saved[1] or '0'), now_us)
  local own, inside = {}, {}
  for i, name in ipairs(constants.LANES) do
    own[name] = tonumber(saved[2 + i] or '0')
    inside[name] = own[name] - now_us <= LANE_TOLERANCE
  end
  -- Lanes within their share come first, urgent before normal before bulk; then the others in the same order.
  -- A lane that is not first gets only permits that the lanes before it have not taken for a while.
  local before = 0
  for _, name in ipairs(constants.LANES) do
    if name ~= lane then
      local ahead
      if inside[name] ~= inside[lane] then ahead = inside[name]
      else ahead = name == 'urgent' or (name == 'normal' and lane == 'bulk') end
      if ahead and waiting(name) then before = before + 1 end
    end
  end
  if before > 0 then
    tolerance = -before * math.min(interval / 2, 20000)
  elseif lane == 'urgent' then
    tolerance = urgent_tolerance
  end
  local at = tat - tolerance
  if before > 0 and tonumber(saved[1] or '0') - tolerance <= now_us then at = now_us end
  if at <= now_us then
    local share = math.max(1, tonumber(state['share_' .. lane])) / 100
    redis.call('HSET', P .. 'bud', 'tat', int(tat + interval), 'busy_since', int(busy_since),
      'tat_' .. lane, int(math.min(math.max(own[lane], now_us), now_us + LANE_TOLERANCE) + interval / share))
    if lane == 'urgent' then
      redis.call('HSET', P .. 'bud', 'recent', string.format('%.3f', recent + 1), 'recent_at', int(now_us))
    end
    local second = math.floor(now / 1000)
    local slot = 'used_' .. (second % 60)
    local used = redis.call('HGET', P .. 'used', slot)
    local at_second, calls = string.match(used or '', '^(%d+):(%d+)$')
    if tonumber(at_second or '0') ~= second then calls = 0 end
    redis.call('HSET', P .. 'used', slot, second .. ':' .. (calls + 1))
    return 0
  end
  -- Callers that must wait get times one after the other, not all the next free one. A caller that is a little early, because a
  -- call before it was late, is the next one: at the end of the queue its turn would be lost.
  local hint = math.max(tonumber(saved[2] or '0') + interval, at)
  if lane == 'urgent' or at - now_us < interval / 2 then
    hint = at
  elseif hint - now_us > 250000 and hint > at then
    -- it asks again at the turn of another caller: if that one does not come, no slot is lost
    hint = at + math.floor(math.max(0, now_us + 250000 - at) / interval) * interval
  else
    redis.call('HSET', P .. 'bud', 'hint', int(hint))
  end
  return math.max(1, math.ceil((hint - now_us) / 1000))
end

return {plan = plan, permit = permit}
