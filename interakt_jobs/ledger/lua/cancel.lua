--! allow-oom include common terminal campaign_begin slot frequency campaigns campaign_end
-- Cancel a job that is not running; of one held for its unknown outcome the message says so. KEYS[1] prefix; ARGV 1 tail, 2 seconds the answer is kept.
-- Returns cancelled, known (cancelled before: a repeat), missing, or the state that forbids it: running, done, dead,
-- newer (accepted by a newer version).
local tail = ARGV[1]
local raw = redis.call('GET', P .. 'j:' .. tail)
if not raw then return 'missing' end
if string.sub(raw, 1, 1) == '=' then
  return string.sub(raw, 1, 11) == '=cancelled|' and 'known' or 'done'
end
if foreign(raw) then return 'newer' end
if redis.call('EXISTS', P .. 'd:' .. tail) == 1 then return 'dead' end
local flight = redis.call('HGET', P .. 'fl', tail)
if flight and string.sub(flight, 1, 1) == 's' then return 'running' end
local sent = redis.call('HEXISTS', P .. 'maybe', tail) == 1 and 'it may have been sent before: the answer to a call was lost' or ''
finish(tail, raw, header(raw), 'cancelled', {keep = ARGV[2], message = sent})
return 'cancelled'
