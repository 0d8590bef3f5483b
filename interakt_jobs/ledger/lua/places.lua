-- The places where a job can be, and its counts of attempts.

-- Take a job out of flight; whether it was there.
local function clear_flight(job_key, lane)
  local known = redis.call('HDEL', P .. 'fl', job_key) == 1
  redis.call('ZREM', P .. 'rel:' .. lane, job_key)
  redis.call('ZREM', P .. 'run:' .. lane, job_key)
  return known
end

-- Take a job from wherever it is.
local function remove(job_key, head)
  if not clear_flight(job_key, head.lane) then
    redis.call('ZREM', P .. 'ready:' .. head.lane, job_key)
    if redis.call('ZREM', P .. 'held', job_key) == 1 then redis.call('HDEL', P .. 'ending', job_key) end
    if head.group ~= '' then redis.call('ZREM', P .. 'waiting_for_template:' .. head.group, job_key) end
  end
  if head.expires > 0 then redis.call('ZREM', P .. 'expires', job_key) end
end

-- Attempts and crashes so far, and whether they are stored at all.
local function tries(job_key)
  local stored = redis.call('HGET', P .. 'tries', job_key)
  local attempts, crashes = string.match(stored or '0:0', '^(%d+):(%d+)$')
  return tonumber(attempts or '0'), tonumber(crashes or '0'), stored and true
end

-- Whether the job is a message of a campaign that is still known.
local function of_campaign(job_key)
  local campaign = string.match(job_key, '^(c[a-z0-9]+)%.%d+%.%d+$')
  return campaign and redis.call('EXISTS', P .. 'c:' .. campaign .. ':meta') == 1
end

-- Whether a call of the job may have been accepted (flights.possibly_sent).
local function possibly_sent(job_key)
  return redis.call('HEXISTS', P .. 'possibly_sent', job_key) == 1
end

-- Remove what is kept of a job that is in no place any more.
local function erase(job_key)
  redis.call('DEL', P .. 'j:' .. job_key, P .. 'd:' .. job_key, P .. 'log:' .. job_key)
  redis.call('HDEL', P .. 'tries', job_key)
  redis.call('HDEL', P .. 'possibly_sent', job_key)
end

return {erase = erase, possibly_sent = possibly_sent, clear_flight = clear_flight, remove = remove, tries = tries, of_campaign = of_campaign}
