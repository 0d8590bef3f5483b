local places = require 'places'

-- Jobs in flight: hash `fl`, job_key -> "<r|c|w|s>|fence|token|sent_at ms|lane" (released, claimed, waiting for its
-- permit after its payload was checked, started). If a worker ends at `c`, its payload may be the cause.
local function read(job_key)
  local value = redis.call('HGET', P .. 'fl', job_key)
  if not value then return nil end
  local step, fence, token, sent, lane = string.match(value, '^(%a)|(%d+)|([^|]*)|(%d+)|(%a+)$')
  if not step then return nil end
  return {step = step, fence = tonumber(fence), token = token, sent = tonumber(sent), lane = lane}
end

local function write(job_key, step, fence, token, sent, lane)
  redis.call('HSET', P .. 'fl', job_key, step .. '|' .. int(fence) .. '|' .. token .. '|' .. int(sent) .. '|' .. lane)
end

-- Take a job out of flight: it is due at `at` (ms).
local function to_ready(job_key, head, at)
  places.clear_flight(job_key, head.lane)
  redis.call('ZADD', P .. 'ready:' .. head.lane, at, job_key)
end

-- Take a job out of flight: it waits until its template is no longer paused.
local function park(job_key, head)
  places.clear_flight(job_key, head.lane)
  redis.call('ZADD', P .. 'waiting_for_template:' .. head.group, head.due, job_key)
  redis.call('SADD', P .. 'templates_waiting', head.group)
end

-- Note that a call may have been accepted. Hash `possibly_sent`: job_key -> 1, or 2 for two and more; 0 for a job that may
-- always be repeated, as a second send of it does no harm.
local function possibly_sent(job_key, head)
  local known = places.possibly_sent(job_key)
  redis.call('HSET', P .. 'possibly_sent', job_key, head.policy == 'always' and '0' or known and '2' or '1')
end

-- Write the numbers of attempts and crashes; `entry` is the JSON of an attempt for the job's log, which keeps ten.
local function add_attempt(job_key, entry, attempts, crashes)
  redis.call('HSET', P .. 'tries', job_key, attempts .. ':' .. crashes)
  if entry and entry ~= '' then
    redis.call('RPUSH', P .. 'log:' .. job_key, entry)
    redis.call('LTRIM', P .. 'log:' .. job_key, -10, -1)
  end
end

return {read = read, write = write, to_ready = to_ready, park = park,
        possibly_sent = possibly_sent, add_attempt = add_attempt}
