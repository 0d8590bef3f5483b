-- Limits per recipient, both off by default: Meta's pair rate (`pair_ms` between two messages to one person) and the most
-- bulk messages per person and day (`per_day`). Keys expire by themselves.
-- Returns nil if the job may go, when (ms) it may, or nil and the reason why it never may.
local function wait(head, state)
  local pair_ms, per_day = tonumber(state.pair_ms), tonumber(state.per_day)
  if pair_ms > 0 then
    local free = tonumber(redis.call('GET', P .. 'pair:' .. head.recipient) or '0')
    if free > now then return free end
  end
  if per_day > 0 and head.lane == 'bulk' then
    local sent = tonumber(redis.call('GET', P .. 'day:' .. head.recipient) or '0')
    if sent >= per_day then return nil, 'recipient_limit' end
  end
  return nil
end

-- The job goes: count it.
local function used(head, state)
  if head.recipient == '' then return end
  local pair_ms = tonumber(state.pair_ms)
  if pair_ms > 0 then redis.call('SET', P .. 'pair:' .. head.recipient, int(now + pair_ms), 'PX', pair_ms) end
  if tonumber(state.per_day) > 0 and head.lane == 'bulk' then
    if redis.call('INCR', P .. 'day:' .. head.recipient) == 1 then
      redis.call('EXPIRE', P .. 'day:' .. head.recipient, 86400)
    end
  end
end

return {wait = wait, used = used}
