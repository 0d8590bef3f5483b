-- How a job ends. The short terminal string over the record's key is
-- `=<done|cancelled>|op|lane|ended ms|attempts|marks|HTTP status|provider id|delivery|message`, then, while something may still
-- be heard of it, a newline and the record. Marks are a sum: 1 ambiguous, and 2 or 4 if this corrects a job that was dead or cancelled.
local function clear_flight(job_key, lane)
  local known = redis.call('HDEL', P .. 'fl', job_key) == 1
  redis.call('ZREM', P .. 'rel:' .. lane, job_key)
  redis.call('ZREM', P .. 'run:' .. lane, job_key)
  return known
end

local function remove(job_key, head)
  if not clear_flight(job_key, head.lane) then
    redis.call('ZREM', P .. 'ready:' .. head.lane, job_key)
    if redis.call('ZREM', P .. 'held', job_key) == 1 then redis.call('HDEL', P .. 'ending', job_key) end
    if head.group ~= '' then redis.call('ZREM', P .. 'waiting_for_template:' .. head.group, job_key) end
  end
  if head.expires > 0 then redis.call('ZREM', P .. 'expires', job_key) end
end

-- Attempts and crashes so far, and whether they are written down at all.
local function tries_of(job_key)
  local tries = redis.call('HGET', P .. 'tries', job_key)
  local attempts, crashes = string.match(tries or '0:0', '^(%d+):(%d+)$')
  return tonumber(attempts or '0'), tonumber(crashes or '0'), tries and true
end

local function of_campaign(job_key)
  local campaign = string.match(job_key, '^(c[a-z0-9]+)%.%d+%.%d+$')
  return campaign and redis.call('EXISTS', P .. 'c:' .. campaign .. ':meta') == 1
end

-- Whether a call of it may have been accepted (flights.possibly_sent).
local function possibly_sent(job_key)
  return redis.call('HEXISTS', P .. 'possibly_sent', job_key) == 1
end

return {possibly_sent = possibly_sent, clear_flight = clear_flight, remove = remove, tries = tries_of, of_campaign = of_campaign}
