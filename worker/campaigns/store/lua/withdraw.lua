#!lua flags=allow-oom
-- Take back enqueued jobs that have not been started: to the plan, or cancelled when the campaign is. Those that may have been
-- sent, or were tried, stay. KEYS[1] prefix; ARGV 1 campaign, 2.. indexes. Returns how many were taken back.
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
    if head and not (flight and flight.step == 's') then
      local untried = withdrawal.untried(job_key)
      if status == 'cancelled' or untried then
        withdrawal.before_start(job_key, raw, head)
        taken = taken + 1
      end
    end
  else
    redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', ARGV[i])
  end
end
return taken
