local places = require 'places'
local records = require 'records'
local settings = require 'settings'

-- The hold: a job that may have been sent waits for a receipt that would name it, before it ends or is sent again.
-- Zset `held` has its job_key by the time when the hold is over; hash `ending` how it ends then, as JSON: `state` (dead or
-- cancelled), `reason`, `error`, `status`; with `again` it is sent again instead if receipts come.
local RECEIPTS_MS = 3600000  -- a receipt within this time shows that webhooks work

-- Whether receipts reach this account.
local function receipts_come()
  return tonumber(redis.call('HGET', P .. 'state', 'receipts_at') or '0') > now - RECEIPTS_MS
end

-- Whether a receipt would name the job. WhatsApp's receipts carry our id; those of RCS only the id in Interakt's answer.
local function receipt_names_job(head)
  return records.has_flag(head, 'r') and (settings.get('webhooks') == '1' or receipts_come())
end

-- The length of the hold in ms.
local function duration(head)
  if head.policy == 'never' then return tonumber(settings.get('never_hold_ms')) end
  return tonumber(settings.get(head.lane == 'urgent' and head.expires > 0 and 'otp_hold_ms' or 'hold_ms'))
end

-- Hold a job instead of ending it; false when it was not sent, or no receipt would name it.
local function instead_of_end(job_key, head, ending)
  if not places.possibly_sent(job_key) or not receipt_names_job(head) then return false end
  places.remove(job_key, head)
  redis.call('HSET', P .. 'ending', job_key, cjson.encode(ending))
  redis.call('ZADD', P .. 'held', int(now + duration(head)), job_key)
  if places.of_campaign(job_key) then require('campaigns').hold(job_key, ending.reason) end
  return true
end

return {receipts_come = receipts_come, duration = duration, instead_of_end = instead_of_end}
