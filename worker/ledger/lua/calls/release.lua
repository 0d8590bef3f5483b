#!lua flags=allow-oom
-- The dispatcher's tick. KEYS[1] prefix; ARGV 1 dispatcher token, 2 dispatcher lease ms, 3 release deadline ms, 4..6 jobs wanted in flight in
-- urgent, normal, bulk by the workers that serve them, 7 "1" to give the lease up.
-- Returns {0, ms until the other dispatcher's lease ends}, or {1, ms until something is due, urgent job_keys, normal job_keys, bulk job_keys}.
local account = require 'account'
local budget = require 'budget'
local constants = require 'constants'
local flights = require 'flights'
local lease = P .. 'dispatcher'
local holder = redis.call('GET', lease)
if ARGV[7] == '1' then
  if holder == ARGV[1] then redis.call('DEL', lease) end
  return {0, 0}
end
if holder and holder ~= ARGV[1] then return {0, redis.call('PTTL', lease)} end
redis.call('SET', lease, ARGV[1], 'PX', ARGV[2])
local took_over = not holder
local answer = {1, 1000, {}, {}, {}}
local pause = account.paused_until() - now
if pause > 0 then
  answer[2] = math.min(1000, pause)
  return answer
end
local state = account.state()
local probing = state.breaker == 'open'
if probing and redis.call('EXISTS', P .. 'probe') == 1 then
  answer[2] = 100
  return answer
end
local _, credit = budget.plan(state, 0)
local ahead = (tonumber(redis.call('HGET', P .. 'bud', 'tat') or '0') or 0) - now_us
local half_second = math.max(2, math.ceil(tonumber(state.rate) * 500 / tonumber(state.window_ms)))
for i, lane in ipairs(constants.LANES) do
  local ready = P .. 'ready:' .. lane
  local out = redis.call('ZCARD', P .. 'rel:' .. lane)
  local running = redis.call('ZCARD', P .. 'run:' .. lane)
  local room = math.min(100, half_second - out, tonumber(ARGV[3 + i]) - out - running)
  -- no permit is free within a second (a cut rate, a small plan): workers would only give the jobs back
  if ahead - (lane == 'urgent' and credit or 0) > 1e6 then room = 0 end
  if probing then room = math.min(room, 1 - out) end
  if lane == 'bulk' and state.lost_at then room = 0 end
  if took_over then
    -- the dispatcher before may have died between release and publish; a second wake-up is harmless
    for _, job_key in ipairs(redis.call('ZRANGE', P .. 'rel:' .. lane, 0, 99)) do
      local flight = flights.read(job_key)
      if flight and flight.step == 'r' then table.insert(answer[2 + i], job_key) end
    end
  end
  if room > 0 then
    local deadline = now + (lane == 'urgent' and math.min(2000, tonumber(ARGV[3])) or tonumber(ARGV[3]))
    local due = redis.call('ZRANGE', ready, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, room)
    for _, job_key in ipairs(due) do
      redis.call('ZREM', ready, job_key)
      flights.write(job_key, 'r', 0, '', 0, lane)
      redis.call('ZADD', P .. 'rel:' .. lane, deadline, job_key)
      table.insert(answer[2 + i], job_key)
    end
    if #due > 0 then
      count('released|' .. lane, #due)
      if probing then return answer end
    end
  end
  local head = redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')
  if head[2] then
    local wait = math.max(50, tonumber(head[2]) - now)
    if wait < answer[2] then answer[2] = wait end
  end
end
return answer
