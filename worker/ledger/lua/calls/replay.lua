#!lua flags=allow-oom
-- Send a dead letter, or a done job whose delivery failed, again. KEYS[1] prefix; ARGV 1 job_key, 2 allow duplicates ("1"),
-- 3 who, 4 delay ms, 5 try only ("1": nothing is changed), 6 "1" when the answer of this very call was lost.
-- Returns replayed, missing, alive, unknown_outcome (needs 2), or no_payload.
local records = require 'records'
local settings = require 'settings'
local REPLAYED_FOR = 30 * 86400  -- seconds that a replayed job may take before it is dead again
local job_key = ARGV[1]
local raw = redis.call('GET', P .. 'j:' .. job_key)
if not raw then return 'missing' end
local detail = redis.call('GET', P .. 'd:' .. job_key)
if detail then
  local dead = cjson.decode(detail)
  local possibly_sent = redis.call('HGET', P .. 'possibly_sent', job_key)
  local doubtful = dead.reason == 'unknown_outcome' or dead.reason == 'crash_loop' or possibly_sent and possibly_sent ~= '0'
  if doubtful and ARGV[2] ~= '1' then return 'unknown_outcome' end
elseif string.sub(raw, 1, 6) == '=done|' and redis.call('ZSCORE', P .. 'failed', job_key) then
  local cut = string.find(raw, '\n', 1, true)
  if not cut then return 'no_payload' end
  raw = string.sub(raw, cut + 1)
else
  return ARGV[6] == '1' and redis.call('EXISTS', P .. 'replays:' .. job_key) == 1 and 'replayed' or 'alive'
end
local head = records.header(raw)
if not head then return 'alive' end
if ARGV[5] == '1' then return 'replayed' end
local due = now + tonumber(ARGV[4])
-- as long to live as it had; one that was to expire before it was due gets no end
local expires = head.expires > head.due and due + (head.expires - head.due) or 0
local _, line = string.find(raw, '\n', 1, true)
head.accepted, head.expires, head.due = now, expires, due
redis.call('SET', P .. 'j:' .. job_key, records.encode(head) .. string.sub(raw, line))
redis.call('DEL', P .. 'd:' .. job_key)
redis.call('ZREM', P .. 'dead', job_key)
redis.call('ZREM', P .. 'failed', job_key)
redis.call('HDEL', P .. 'tries', job_key)
redis.call('DEL', P .. 'early:' .. job_key)
-- what may have been sent before may be accepted twice now; a delivery that failed is another matter
if not detail then redis.call('HDEL', P .. 'possibly_sent', job_key) end
redis.call('INCR', P .. 'replays:' .. job_key)
redis.call('EXPIRE', P .. 'replays:' .. job_key, settings.get('keep_dead') + REPLAYED_FOR)
redis.call('ZADD', P .. 'ready:' .. head.lane, due, job_key)
if expires > 0 then redis.call('ZADD', P .. 'expires', expires, job_key) end
require('audit').note('replay', 'job', job_key, 'who', ARGV[3])
count('replayed|' .. head.op)
signal()
return 'replayed'
