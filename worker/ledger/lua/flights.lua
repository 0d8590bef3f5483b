local places = require 'places'

-- Jobs in flight: hash `fl`, tail -> "<r|c|w|s>|fence|token|sent_at ms|lane" (released, claimed, checked and waiting
-- for its permit, started). A worker that ends at `c` ended of the job, or beside it.
local function read(tail)
  local value = redis.call('HGET', P .. 'fl', tail)
  if not value then return nil end
  local step, fence, token, sent, lane = string.match(value, '^(%a)|(%d+)|([^|]*)|(%d+)|(%a+)$')
  if not step then return nil end
  return {step = step, fence = tonumber(fence), token = token, sent = tonumber(sent), lane = lane}
end

local function write(tail, step, fence, token, sent, lane)
  redis.call('HSET', P .. 'fl', tail, step .. '|' .. int(fence) .. '|' .. token .. '|' .. int(sent) .. '|' .. lane)
end

local function to_ready(tail, head, at)
  places.clear_flight(tail, head.lane)
  redis.call('ZADD', P .. 'ready:' .. head.lane, at, tail)
end

local function park(tail, head)
  places.clear_flight(tail, head.lane)
  redis.call('ZADD', P .. 'parked:' .. head.group, head.due, tail)
  redis.call('SADD', P .. 'parking', head.group)
end

-- One more send that may have been accepted: hash `maybe`, tail -> 1, or 2 when there were two or more; of what may always be
-- repeated 0, since a second does no harm.
local function possibly_sent(tail, head)
  local known = redis.call('HEXISTS', P .. 'maybe', tail) == 1
  redis.call('HSET', P .. 'maybe', tail, head.policy == 'always' and '0' or known and '2' or '1')
end

local function add_attempt(tail, entry, attempts, crashes)
  redis.call('HSET', P .. 'tries', tail, attempts .. ':' .. crashes)
  if entry and entry ~= '' then
    redis.call('RPUSH', P .. 'log:' .. tail, entry)
    redis.call('LTRIM', P .. 'log:' .. tail, -10, -1)
  end
end

return {read = read, write = write, to_ready = to_ready, park = park,
        possibly_sent = possibly_sent, add_attempt = add_attempt}
