-- Enqueue recipients: each who is still planned gets a job, or is skipped. Safe to repeat: nobody is enqueued twice.
-- KEYS[1] prefix; ARGV 1 campaign, 2 template key, 3 repeat, 4 most attempts, 5 end (ms) or 0, 6 most messages per person or 0,
-- 7 in days, 8 options JSON or "", 9 operation, 10 its flags, then three per recipient: index, recipient hash, payload JSON.
-- Returns {"running", how many were enqueued, how many were skipped}; or {status} of a campaign that does not run, {"ended"}, or
-- {"full"} when Redis nearly is.
local frequency = require 'frequency'
local records = require 'records'
local recipient_state = require 'recipient_state'
local campaign = ARGV[1]
local status = redis.call('HGET', P .. 'c:' .. campaign .. ':meta', 'status')
if status ~= 'running' then return {status or 'missing'} end
local full = redis.call('HGET', P .. 'state', 'full')
if full and full ~= '' then return {'full'} end
local ends, most, days = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if ends > 0 and now >= ends then return {'ended'} end
local head = {op = ARGV[9], flags = ARGV[10], lane = 'bulk', accepted = now, expires = ends, policy = ARGV[3], max = ARGV[4],
  group = ARGV[2], due = now, key_id = '', trace = ''}
local enqueued, skipped = 0, 0
for at = 11, #ARGV, 3 do
  local index, person = tonumber(ARGV[at]), ARGV[at + 1]
  local recipient = recipient_state.read(campaign, index)
  if recipient and recipient.state == 'planned' then
    local reason
    if redis.call('SISMEMBER', P .. 'optout', person) == 1 then
      reason = 'opted_out'
    elseif most > 0 and not frequency.take(person, most, days) then
      reason = 'frequency_cap'
    end
    recipient.at, recipient.sent, recipient.delivered = math.floor(now / 1000), 0, 0
    recipient.provider, recipient.digest = recipient_state.provider('')
    recipient.was = 'planned'
    if reason then
      recipient.state, recipient.reason = 'skipped', require('recipient_numbers').reasons[reason]
      skipped = skipped + 1
    else
      recipient.state, recipient.reason = 'enqueued', 0
      local job_key = campaign .. '.' .. recipient.round .. '.' .. int(index)
      head.recipient = person
      redis.call('SET', P .. 'j:' .. job_key, records.encode(head) .. '\n' .. ARGV[8] .. '\n' .. ARGV[at + 2])
      redis.call('ZADD', P .. 'ready:bulk', now, job_key)
      if ends > 0 then redis.call('ZADD', P .. 'expires', ends, job_key) end
      redis.call('SADD', P .. 'c:' .. campaign .. ':enqueued', int(index))
      enqueued = enqueued + 1
    end
    recipient_state.write(campaign, index, recipient, 'planned')
  end
end
if enqueued > 0 then
  count('enqueued|' .. ARGV[9] .. '|bulk', enqueued)
  signal()
end
return {'running', enqueued, skipped}
