local places = require 'places'
local records = require 'records'
local settings = require 'settings'

-- A job that may have been sent does not end at once where a receipt would name it: its end waits for that receipt. Zset
-- `held`: job_key by when the wait is over. Hash `ending`: job_key -> JSON of the end it then comes to: `state` (dead or cancelled),
-- `reason`, `error`, `status`; with `again` it is sent again instead if receipts come.
local RECEIPTS_MS = 3600000  -- a receipt within this time shows that webhooks work

local function receipts_come()
  return tonumber(redis.call('HGET', P .. 'state', 'receipts_at') or '0') > now - RECEIPTS_MS
end

-- WhatsApp's receipts carry our id; those of RCS carry the id that came, or was lost, with the answer.
local function receipt_names_job(head)
  return records.has_flag(head, 'r') and (settings.get('webhooks') == '1' or receipts_come())
end

local function duration(head)
  if head.policy == 'never' then return tonumber(settings.get('never_hold_ms')) end
  return tonumber(settings.get(head.lane == 'urgent' and head.expires > 0 and 'otp_hold_ms' or 'hold_ms'))
end

-- Hold a job instead of ending it; false when it was not sent, or no receipt would tell.
local function instead_of_end(job_key, head, ending)
  if not places.possibly_sent(job_key) or not receipt_names_job(head) then return false end
  places.remove(job_key, head)
  redis.call('HSET', P .. 'ending', job_key, cjson.encode(ending))
  redis.call('ZADD', P .. 'held', int(now + duration(head)), job_key)
  if places.of_campaign(job_key) then require('campaigns').hold(job_key, ending.reason) end
  return true
end

return {receipts_come = receipts_come, duration = duration, instead_of_end = instead_of_end}
