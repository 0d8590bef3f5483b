#!lua flags=allow-oom
-- Repair what a worker that died, a lost message or a lost answer left behind. KEYS[1] prefix; ARGV 1 most jobs per kind, 2 retry ms, 3 most crashes.
-- Returns {released again, unknown, dead, held ended, unparked, names of keys that were set aside}.
local account = require 'account'
local breakers = require 'breakers'
local constants = require 'constants'
local flights = require 'flights'
local outcomes = require 'outcomes'
local places = require 'places'
local records = require 'records'
local most = tonumber(ARGV[1])
local again, unknown, dead, ended, unparked = 0, 0, 0, 0, 0

local function due(key)
  return redis.call('ZRANGE', key, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, most)
end

local function record_of(job_key, zset)
  local raw = redis.call('GET', P .. 'j:' .. job_key)
  local head = records.header(raw)
  if records.foreign(raw) then
    redis.call('ZADD', zset, 'XX', now + 5000, job_key)
  elseif not head then
    records.no_header(job_key, raw)
    redis.call('ZREM', zset, job_key)
    redis.call('HDEL', P .. 'fl', job_key)
    redis.call('HDEL', P .. 'ending', job_key)
  end
  return raw, head
end

for _, lane in ipairs(constants.LANES) do
  local rel, run = P .. 'rel:' .. lane, P .. 'run:' .. lane
  for _, job_key in ipairs(due(rel)) do
    local raw, head = record_of(job_key, rel)
    if head then
      local flight = flights.read(job_key)
      if flight and flight.step == 'c' then
        local attempts, crashes = places.tries(job_key)
        redis.call('HSET', P .. 'tries', job_key, attempts .. ':' .. (crashes + 1))
        if crashes + 1 >= tonumber(ARGV[3]) then
          outcomes.dead(job_key, raw, head, 'crash_loop', 'its worker died or stood still each time it checked this payload')
          dead = dead + 1
          head = nil
        end
      end
      if head then
        flights.to_ready(job_key, head, head.due)
        again = again + 1
      end
    end
  end
  for _, job_key in ipairs(due(run)) do
    local raw, head = record_of(job_key, run)
    if head then
      local attempts, crashes = places.tries(job_key)
      local flight = flights.read(job_key)
      flights.add_attempt(job_key, cjson.encode({at = flight and flight.sent or now, outcome = 'unknown', error = 'the worker died'}),
        attempts + 1, crashes + 1)
      breakers.drop_probes(job_key, head)
      if outcomes.known_accepted(job_key, raw, head, true) then
        unknown = unknown + 1
      elseif crashes + 1 >= tonumber(ARGV[3]) then
        flights.possibly_sent(job_key, head)
        outcomes.dead(job_key, raw, head, 'crash_loop', 'its worker died each time it was sent')
        dead = dead + 1
      else
        outcomes.unknown(job_key, raw, head, 'the worker died after the request may have left', tonumber(ARGV[2]))
        unknown = unknown + 1
      end
    end
  end
end

for _, job_key in ipairs(due(P .. 'held')) do
  local raw, head = record_of(job_key, P .. 'held')
  local became = head and outcomes.hold_over(job_key, raw, head)
  if became == 'dead' then
    dead = dead + 1
  elseif became then
    ended = ended + 1
  end
end

for _, job_key in ipairs(due(P .. 'expires')) do
  local raw, head = record_of(job_key, P .. 'expires')
  if head then
    if redis.call('EXISTS', P .. 'd:' .. job_key) == 1 then
      redis.call('ZREM', P .. 'expires', job_key)
    elseif redis.call('HEXISTS', P .. 'fl', job_key) == 0 then
      outcomes.expired(job_key, raw, head)
      dead = dead + 1
    end
  end
end

local too_old = int(now - tonumber(account.state().max_age))
local left = most
for _, group in ipairs(redis.call('SRANDMEMBER', P .. 'templates_waiting', most)) do
  local parked = P .. 'waiting_for_template:' .. group
  local till = breakers.template_pause(group)
  for _, job_key in ipairs(redis.call('ZRANGE', parked, '-inf', '(' .. too_old, 'BYSCORE', 'LIMIT', 0, left)) do
    local raw, head = record_of(job_key, parked)
    if head then
      outcomes.dead(job_key, raw, head, 'too_old', 'its template was paused for longer than INTERAKT_MAX_AGE_SECONDS')
      dead = dead + 1
    end
    left = left - 1
  end
  local room = till and (till > now and 0 or math.min(1, left)) or left
  if till and till <= now and redis.call('EXISTS', P .. 'probe:' .. group) == 1 then room = 0 end
  if room > 0 then
    for _, job_key in ipairs(redis.call('ZRANGE', parked, 0, room - 1)) do
      local _, head = record_of(job_key, parked)
      if head then
        redis.call('ZREM', parked, job_key)
        redis.call('ZADD', P .. 'ready:' .. head.lane, head.due, job_key)
        unparked = unparked + 1
      end
      left = left - 1
    end
  end
  if redis.call('ZCARD', parked) == 0 then redis.call('SREM', P .. 'templates_waiting', group) end
end

-- Forget pauses that ended a day ago and for which no job waits.
local paused = redis.call('HRANDFIELD', P .. 'groups', 10, 'WITHVALUES')
for i = 1, #paused, 2 do
  if (breakers.template_pause(paused[i]) or 0) < now - 86400000 and redis.call('SISMEMBER', P .. 'templates_waiting', paused[i]) == 0 then
    redis.call('HDEL', P .. 'groups', paused[i])
  end
end
return {again, unknown, dead, ended, unparked, redis.call('LRANGE', P .. 'astray', 0, 99)}
