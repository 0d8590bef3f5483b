#!lua flags=allow-oom
-- Put jobs back where they belong, after a key that held them was set aside. KEYS[1] prefix; ARGV 1 lease ms, 2.. tails.
-- Returns how many were in no place.
local flights = require 'flights'
local records = require 'records'
local settings = require 'settings'
local found = 0
local function put(key, score, tail)
  found = found + redis.call('ZADD', key, 'NX', score, tail)
end

for i = 2, #ARGV do
  local tail = ARGV[i]
  local raw = redis.call('GET', P .. 'j:' .. tail)
  local head = records.header(raw)
  local flight = head and flights.read(tail)
  local parked = head and head.group ~= '' and redis.call('ZSCORE', P .. 'parked:' .. head.group, tail)
  if not head then
    if not records.foreign(raw) then
      records.no_header(tail, raw)
      redis.call('HDEL', P .. 'fl', tail)
    end
  elseif redis.call('EXISTS', P .. 'd:' .. tail) == 1 then
    put(P .. 'dead', now, tail)
  elseif flight then
    put(P .. (flight.step == 's' and 'run:' or 'rel:') .. flight.lane, now + tonumber(ARGV[1]), tail)
  elseif parked then
    redis.call('SADD', P .. 'parking', head.group)
  elseif redis.call('HEXISTS', P .. 'ending', tail) == 1 then
    put(P .. 'held', now + settings.get('hold_ms'), tail)
  elseif not redis.call('ZSCORE', P .. 'held', tail) and not redis.call('ZSCORE', P .. 'doubt:' .. head.lane, tail) then
    put(P .. 'ready:' .. head.lane, head.due, tail)
    if head.expires > 0 then redis.call('ZADD', P .. 'expires', 'NX', head.expires, tail) end
  end
end
return found
