-- The budget: one GCRA per account in integer microseconds, with a tolerance per lane. The limit holds in any window of
-- the provider because T = (window + guard + tolerances) / limit; see docs/budget.md.
-- State hash: rate (calls a window), window_ms, factor (cut after a 429), share_urgent, share_normal, share_bulk (percent).
-- Hash `bud`: tat (theoretical arrival time of the next call), tat_<lane> (of the lane inside its share), hint.
local LANES = {'urgent', 'normal', 'bulk'}
local CATCH_UP = 5000        -- us that a late wake-up may make good; more where the urgent lane's credit covers it
local EARLY = 25000          -- us that any call may go ahead of the spacing where there is a credit, so that a late one loses nothing
local LANE_TOLERANCE = 10e6  -- us that a lane may run ahead of its share; what it borrowed beyond is forgiven

-- Reads the plan: T, the tolerance of urgent, the tolerance of the others and the guard, all in us.
local function plan(state)
  local rate, window = tonumber(state.rate), tonumber(state.window_ms) * 1000
  local per_second = rate * 1e6 / window
  local guard = math.max(15000, window / 600)
  if per_second > 200 then guard = math.max(guard, window / 60) end
  local credit = math.min(8, rate / 150 + 0.25)
  if window < 30e6 then credit = 0 end
  local ahead = credit > 0 and 0 or CATCH_UP
  local interval = (window + guard + ahead + 1) / (rate - credit)
  local tolerance = credit > 0 and math.min(interval / 4, EARLY) or CATCH_UP
  return interval / math.max(0.05, tonumber(state.factor or '1')), math.max(credit * interval, tolerance), tolerance, guard
end

local function waiting(lane)
  if redis.call('ZCARD', P .. 'rel:' .. lane) > 0 then return true end
  local head = redis.call('ZRANGE', P .. 'ready:' .. lane, 0, 0, 'WITHSCORES')
  return head[2] ~= nil and tonumber(head[2]) <= now
end

-- Take a permit for `lane` now: returns 0, or the milliseconds after which to ask again (nothing is spent).
local function permit(lane, state)
  local interval, urgent_tolerance, tolerance = plan(state)
  local saved = redis.call('HMGET', P .. 'bud', 'tat', 'hint', 'tat_urgent', 'tat_normal', 'tat_bulk')
  local tat = math.max(tonumber(saved[1] or '0'), now_us)
  local own, inside = {}, {}
  for i, name in ipairs(LANES) do
    own[name] = tonumber(saved[2 + i] or '0')
    inside[name] = own[name] - now_us <= LANE_TOLERANCE
  end
  -- Lanes inside their share come first, urgent before normal before bulk; then the others in the same order.
  -- Whoever is not first may take only what those before it have left lying for a while.
  local before = 0
  for _, name in ipairs(LANES) do
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
    local share = math.max(1, tonumber(state['share_' .. lane] or '33')) / 100
    redis.call('HSET', P .. 'bud', 'tat', int(tat + interval),
      'tat_' .. lane, int(math.min(math.max(own[lane], now_us), now_us + LANE_TOLERANCE) + interval / share))
    local second = math.floor(now / 1000)
    local slot = 'used_' .. (second % 60)
    local used = redis.call('HGET', P .. 'used', slot)
    local at_second, calls = string.match(used or '', '^(%d+):(%d+)$')
    if tonumber(at_second or '0') ~= second then calls = 0 end
    redis.call('HSET', P .. 'used', slot, second .. ':' .. (calls + 1))
    return 0
  end
  -- Those who wait are told to come one after the other, not all at the next free moment. Who comes a little early, because a
  -- call before was late, is the next one: sent to the end of the row, its turn would be lost.
  local hint = math.max(tonumber(saved[2] or '0') + interval, at)
  if lane == 'urgent' or at - now_us < interval / 2 then
    hint = at
  elseif hint - now_us > 250000 and hint > at then
    -- asked again at the turn of somebody: should that one not come, no slot is lost
    hint = at + math.floor(math.max(0, now_us + 250000 - at) / interval) * interval
  else
    redis.call('HSET', P .. 'bud', 'hint', int(hint))
  end
  return math.max(1, math.ceil((hint - now_us) / 1000))
end
