local flights = require 'flights'

local CLAIM_MS = 5000  -- a worker asks for the permit within a second

-- Claim a released job for the caller; returns the fence. A wake-up that comes twice or too late gets nil.
local function one(job_key, token, lease_ms)
  local flight = flights.read(job_key)
  if not flight then return nil end
  if flight.step == 'r' then
    flight.fence = redis.call('INCR', P .. 'fence')
    flights.write(job_key, 'c', flight.fence, token, 0, flight.lane)
  elseif flight.step ~= 'c' or flight.token ~= token then
    return nil
  end
  redis.call('ZADD', P .. 'rel:' .. flight.lane, 'XX', now + math.min(lease_ms, CLAIM_MS), job_key)
  return flight.fence
end

-- Claim the next due job of a lane from its ready set; returns its job_key and fence. `again`: the answer of the first call was
-- lost, so that the job it claimed is looked for.
local function claim_next(lane, token, lease_ms, again)
  if again then
    for _, job_key in ipairs(redis.call('ZRANGE', P .. 'rel:' .. lane, 0, -1)) do
      local flight = flights.read(job_key)
      if flight and flight.step == 'c' and flight.token == token then return job_key, flight.fence end
    end
    for _, job_key in ipairs(redis.call('ZRANGE', P .. 'run:' .. lane, 0, -1)) do
      local flight = flights.read(job_key)
      if flight and flight.token == token then return job_key, flight.fence end
    end
  end
  local head = redis.call('ZRANGE', P .. 'ready:' .. lane, 0, 0, 'WITHSCORES')
  if not head[1] or tonumber(head[2]) > now then return nil end
  local fence = redis.call('INCR', P .. 'fence')
  redis.call('ZREM', P .. 'ready:' .. lane, head[1])
  flights.write(head[1], 'c', fence, token, 0, lane)
  redis.call('ZADD', P .. 'rel:' .. lane, now + math.min(lease_ms, CLAIM_MS), head[1])
  return head[1], fence
end

return {one = one, next = claim_next}
