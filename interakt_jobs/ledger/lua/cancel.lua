#!lua flags=allow-oom
-- Cancel a job that is not running: nothing of it is sent any more. One that may have been sent ends when no receipt has come in its
-- hold; its message then says so. KEYS[1] prefix; ARGV 1 tail.
-- Returns cancelled, known (cancelled before: a repeat), missing, or the state that forbids it: running, done, dead,
-- newer (accepted by a newer version).
local endings = require 'endings'
local holds = require 'holds'
local records = require 'records'
local tail = ARGV[1]
local raw = redis.call('GET', P .. 'j:' .. tail)
if not raw then return 'missing' end
if string.sub(raw, 1, 1) == '=' then
  return string.sub(raw, 1, 11) == '=cancelled|' and 'known' or 'done'
end
if records.foreign(raw) then return 'newer' end
if redis.call('EXISTS', P .. 'd:' .. tail) == 1 then return 'dead' end
local flight = redis.call('HGET', P .. 'fl', tail)
if flight and string.sub(flight, 1, 1) == 's' then return 'running' end
local head, ending = records.header(raw), {state = 'cancelled', reason = 'unknown_outcome'}
if redis.call('ZSCORE', P .. 'held', tail) then
  redis.call('HSET', P .. 'ending', tail, cjson.encode(ending))
elseif not holds.instead_of_end(tail, head, ending) then
  endings.cancelled(tail, raw, head)
end
return 'cancelled'
