-- How a job ends. The short terminal string over the record's key is
-- `=<done|cancelled>|op|lane|ended ms|attempts|marks|HTTP status|provider id|delivery|message`, then, while something may still
-- be heard of it, a newline and the record. Marks are a sum: 1 ambiguous, and 2 or 4 if this corrects a job that was dead or cancelled.
local function clear_flight(tail, lane)
  local known = redis.call('HDEL', P .. 'fl', tail) == 1
  redis.call('ZREM', P .. 'rel:' .. lane, tail)
  redis.call('ZREM', P .. 'run:' .. lane, tail)
  return known
end

local function remove(tail, head)
  if not clear_flight(tail, head.lane) then
    redis.call('ZREM', P .. 'ready:' .. head.lane, tail)
    if redis.call('ZREM', P .. 'held', tail) == 1 then redis.call('HDEL', P .. 'ending', tail) end
    if head.group ~= '' then redis.call('ZREM', P .. 'parked:' .. head.group, tail) end
  end
  if head.expires > 0 then redis.call('ZREM', P .. 'expires', tail) end
end

-- Attempts and crashes so far, and whether they are written down at all.
local function tries_of(tail)
  local tries = redis.call('HGET', P .. 'tries', tail)
  local attempts, crashes = string.match(tries or '0:0', '^(%d+):(%d+)$')
  return tonumber(attempts or '0'), tonumber(crashes or '0'), tries and true
end

local function of_campaign(tail)
  local campaign = string.match(tail, '^(c[a-z0-9]+)%.%d+%.%d+$')
  return campaign and redis.call('EXISTS', P .. 'c:' .. campaign .. ':meta') == 1
end

return {clear_flight = clear_flight, remove = remove, tries = tries_of, of_campaign = of_campaign}
