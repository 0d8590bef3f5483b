#!lua flags=allow-oom
-- Cancel a job that is not running: it is not sent any more. One that may have been sent waits for a receipt first, and its
-- message says so if none comes.
-- KEYS[1] prefix
-- ARGV 1 job_key
-- Returns "cancelled", "known" (cancelled before: a repeat), "missing", or the state that forbids it: "running", "done", "dead",
-- "newer" (accepted by a newer version).
local endings = require 'endings'
local holds = require 'holds'
local records = require 'records'
local job_key = ARGV[1]
local raw = redis.call('GET', P .. 'j:' .. job_key)
if not raw then return 'missing' end
if string.sub(raw, 1, 1) == '=' then
  return string.sub(raw, 1, 11) == '=cancelled|' and 'known' or 'done'
end
if records.foreign(raw) then return 'newer' end
if redis.call('EXISTS', P .. 'd:' .. job_key) == 1 then return 'dead' end
local flight = redis.call('HGET', P .. 'fl', job_key)
if flight and string.sub(flight, 1, 1) == 's' then return 'running' end
local head, ending = records.header(raw), {state = 'cancelled', reason = 'unknown_outcome'}
if redis.call('ZSCORE', P .. 'held', job_key) then
  redis.call('HSET', P .. 'ending', job_key, cjson.encode(ending))
elseif not holds.instead_of_end(job_key, head, ending) then
  endings.cancelled(job_key, raw, head)
end
return 'cancelled'
