#!lua flags=allow-oom
-- Put jobs back where they belong, after a key that held them was set aside. KEYS[1] prefix; ARGV 1 lease ms, 2.. job_keys.
-- Returns how many were in no place.
local flights = require 'flights'
local records = require 'records'
local settings = require 'settings'
local found = 0
local function put(key, score, job_key)
  found = found + redis.call('ZADD', key, 'NX', score, job_key)
end

for i = 2, #ARGV do
  local job_key = ARGV[i]
  local raw = redis.call('GET', P .. 'j:' .. job_key)
  local head = records.header(raw)
  local flight = head and flights.read(job_key)
  local parked = head and head.group ~= '' and redis.call('ZSCORE', P .. 'waiting_for_template:' .. head.group, job_key)
  if not head then
    if not records.foreign(raw) then
      records.no_header(job_key, raw)
      redis.call('HDEL', P .. 'fl', job_key)
    end
  elseif redis.call('EXISTS', P .. 'd:' .. job_key) == 1 then
    put(P .. 'dead', now, job_key)
  elseif flight then
    put(P .. (flight.step == 's' and 'run:' or 'rel:') .. flight.lane, now + tonumber(ARGV[1]), job_key)
  elseif parked then
    redis.call('SADD', P .. 'templates_waiting', head.group)
  elseif redis.call('HEXISTS', P .. 'ending', job_key) == 1 then
    put(P .. 'held', now + settings.get('hold_ms'), job_key)
  elseif not redis.call('ZSCORE', P .. 'held', job_key) and not redis.call('ZSCORE', P .. 'doubt:' .. head.lane, job_key) then
    put(P .. 'ready:' .. head.lane, head.due, job_key)
    if head.expires > 0 then redis.call('ZADD', P .. 'expires', 'NX', head.expires, job_key) end
  end
end
return found
