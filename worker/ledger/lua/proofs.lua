-- A receipt or a late answer proves that a job was accepted. A job that is held or waits to be sent again is then done, and one
-- that is dead or cancelled is corrected. A running job is left alone: the proof is kept until its attempt is settled.
local endings = require 'endings'
local places = require 'places'
local records = require 'records'

-- The record of a cancelled job, with its attempts as before its end; nil if no record was kept.
local function revive_cancelled(job_key, raw)
  local short, record = records.split_ended(raw)
  local attempts, marks = string.match(short, '^=cancelled|[^|]*|[^|]*|%d+|(%d+)|(%d)|')
  if not records.header(record) then return nil end
  redis.call('HSET', P .. 'tries', job_key, attempts .. ':0')
  redis.call('HSET', P .. 'possibly_sent', job_key, marks == '1' and '2' or '1')
  return record
end

-- `fields` are those of endings.finish. With `receipt` the proof is a receipt, which counts more than an answer that refused.
-- Returns whether the job was settled.
local function settle(job_key, raw, fields)
  if string.sub(raw, 1, 11) == '=cancelled|' then
    raw, fields.was = revive_cancelled(job_key, raw), 'cancelled'
  end
  local head = records.header(raw)
  if not head then return false end
  local doubtful = fields.receipt and places.tries(job_key) > 0 or places.possibly_sent(job_key)
  local flight = redis.call('HGET', P .. 'fl', job_key)
  if not doubtful or flight and string.sub(flight, 1, 1) == 's' then return false end
  if redis.call('DEL', P .. 'd:' .. job_key) == 1 then
    fields.was = 'dead'
    redis.call('ZREM', P .. 'dead', job_key)
  end
  count('late|' .. head.op)
  endings.finish(job_key, raw, head, 'done', fields)
  return true
end

return {settle = settle}
