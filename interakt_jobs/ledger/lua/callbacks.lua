local records = require 'records'

-- Callbacks: the messages that `on_done` asks for, to the application's own Celery. They are written here; the outbox publishes.
local MOST_OUTBOX = 200000

-- Write a callback. `event` has the fields of interakt_jobs/event.py, empty where left out, and a receipt's `rank`: within
-- a round the sequence counts the end, its correction, then receipts by rank.
local function notify(job_key, options, event)
  if type(options.on_done) ~= 'string' then return end
  local round, was, rank = tonumber(redis.call('GET', P .. 'replays:' .. job_key) or '0'), event.was or '', event.rank or 0
  local length = redis.call('RPUSH', P .. 'outbox', cjson.encode({id = job_key, task = options.on_done,
    queue = type(options.on_done_queue) == 'string' and options.on_done_queue or nil, event = event.event, state = event.state,
    reason = event.reason or '', was = was, round = round, sequence = 10 * round + 1 + (was ~= '' and 1 or 0) + rank,
    provider_id = event.provider_id or ''}))
  if length > MOST_OUTBOX then  -- nobody publishes: no broker is set, or it has been away for long
    redis.call('LPOP', P .. 'outbox')
    count('outbox_dropped')
  end
  signal()
end

-- Announce an end, or the correction of the end `event.was`. Returns the job's options.
local function ended(job_key, raw, event)
  redis.call('PUBLISH', P .. 'ended:' .. job_key, event.state)
  local options = records.options(raw)
  event.event = event.was and 'corrected' or 'ended'
  notify(job_key, options, event)
  return options
end

return {notify = notify, ended = ended}
