#!lua flags=allow-oom
-- Withdraw enqueued jobs that have not started: their recipients are planned again, or cancelled if the campaign is. A job that
-- may have been sent stays, and one that was tried stays unless the campaign is cancelled.
-- KEYS[1] prefix; ARGV 1 campaign, 2.. indexes. Returns how many were withdrawn.
local flights = require 'flights'
local records = require 'records'
local withdrawal = require 'withdrawal'
local campaign, taken = ARGV[1], 0
local status = redis.call('HGET', P .. 'c:' .. campaign .. ':meta', 'status')
if status == 'running' then return 0 end
for i = 2, #ARGV do
  local index = tonumber(ARGV[i])
  local recipient = require('recipient_state').read(campaign, index)
  if recipient and recipient.state == 'enqueued' then
    local job_key = campaign .. '.' .. recipient.round .. '.' .. int(index)
    local raw = redis.call('GET', P .. 'j:' .. job_key)
    local head = records.header(raw)
    local flight = flights.read(job_key)
    local started = flight and flight.step == 's'
    if head and not started and (status == 'cancelled' or withdrawal.untried(job_key)) then
      withdrawal.before_start(job_key, raw, head)
      taken = taken + 1
    end
  else
    redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', ARGV[i])
  end
end
return taken
