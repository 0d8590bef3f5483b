local records = require 'records'

-- `on_done` asks for a message to the caller's own Celery: written here, published by the outbox. `news` has the fields of
-- interakt_jobs/event.py; left out are empty. In a round come the end, its correction and receipts by `rank`: that is the sequence.
local MOST_OUTBOX = 200000

local function notify(job_key, wish, news)
  if type(wish.on_done) ~= 'string' then return end
  local round, was, rank = tonumber(redis.call('GET', P .. 'replays:' .. job_key) or '0'), news.was or '', news.rank or 0
  local length = redis.call('RPUSH', P .. 'outbox', cjson.encode({id = job_key, task = wish.on_done,
    queue = type(wish.on_done_queue) == 'string' and wish.on_done_queue or nil, event = news.event, state = news.state,
    reason = news.reason or '', was = was, round = round, sequence = 10 * round + 1 + (was ~= '' and 1 or 0) + rank,
    provider_id = news.provider_id or ''}))
  if length > MOST_OUTBOX then  -- nobody publishes: no broker is set, or it is away for long
    redis.call('LPOP', P .. 'outbox')
    count('outbox_dropped')
  end
  signal()
end

-- Tell of an end, or of its correction (`was` says of what). Returns the job's options.
local function ended(job_key, raw, news)
  redis.call('PUBLISH', P .. 'ended:' .. job_key, news.state)
  local wish = records.options(raw)
  news.event = news.was and 'corrected' or 'ended'
  if wish.on_done then notify(job_key, wish, news) end
  return wish
end

return {notify = notify, ended = ended}
