#!lua flags=allow-oom
-- Read one job.
-- KEYS[1] prefix
-- ARGV 1 job_key
-- Returns {} for an unknown job, else {state, place, raw, detail, tries, log, possibly_sent, data, round}. `state` is ready, waiting,
-- waiting_for_template, released, running, unknown, done, dead or cancelled; `place` a time in ms or the in-flight value; `raw` the
-- record or the line of an ended job; `detail` the dead letter's JSON.
local records = require 'records'
local job_key = ARGV[1]
local raw = redis.call('GET', P .. 'j:' .. job_key)
if not raw then return {} end
local tries = redis.call('HGET', P .. 'tries', job_key) or '0:0'
local log = redis.call('LRANGE', P .. 'log:' .. job_key, 0, -1)
local possibly_sent = redis.call('HGET', P .. 'possibly_sent', job_key) or '0'
local function answer(state, place, detail)
  return {state, place or '', raw, detail or '', tries, log, possibly_sent, redis.call('GET', P .. 'r:' .. job_key) or '',
          redis.call('GET', P .. 'replays:' .. job_key) or '0'}
end
if string.sub(raw, 1, 1) == '=' then
  return answer(string.match(raw, '^=(%a+)|'))
end
local detail = redis.call('GET', P .. 'd:' .. job_key)
if detail then return answer('dead', '', detail) end
local head = records.header(raw)
if not head then return answer('waiting', int(now)) end
local flight = redis.call('HGET', P .. 'fl', job_key)
if flight then
  local step = string.sub(flight, 1, 1)
  return answer(step == 's' and 'running' or 'released', flight)
end
local held = redis.call('ZSCORE', P .. 'held', job_key)
if held then return answer('unknown', held) end
local due = redis.call('ZSCORE', P .. 'ready:' .. head.lane, job_key)
if due then return answer(tonumber(due) > now and 'waiting' or 'ready', due) end
return answer('waiting_for_template')
