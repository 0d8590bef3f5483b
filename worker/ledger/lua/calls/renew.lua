#!lua flags=allow-oom
-- The heartbeat: renew the leases of a worker's jobs. KEYS[1] prefix; ARGV 1 lease ms, then job_key, fence pairs.
-- Returns how many were still this worker's.
local flights = require 'flights'
local kept = 0
for i = 2, #ARGV, 2 do
  local flight = flights.read(ARGV[i])
  if flight and flight.fence == tonumber(ARGV[i + 1]) then
    redis.call('ZADD', P .. (flight.step == 's' and 'run:' or 'rel:') .. flight.lane, 'XX', now + (flight.step == 's' and tonumber(ARGV[1]) or math.min(5000, tonumber(ARGV[1]))), ARGV[i])
    kept = kept + 1
  end
end
return kept
