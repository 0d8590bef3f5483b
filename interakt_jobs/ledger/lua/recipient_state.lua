-- The state of a campaign's recipients: 32 bytes each, 1,000 recipients to the string `c:<campaign>:s:<block>`. The layout is
-- described in worker/campaigns/store/recipient_state.py.
local numbers = require 'recipient_numbers'

local WIDTH, BLOCK = 32, 1000

-- The number of the reason for a failed receipt's code.
local function reason_of(code)
  return numbers.codes[code] or numbers.reasons.other
end

local function place(campaign, index)
  return P .. 'c:' .. campaign .. ':s:' .. int(math.floor(index / BLOCK)), (index % BLOCK) * WIDTH
end

-- One recipient as a table, or nil when the plan has no such index. `at` is in seconds since the epoch; sent, delivered and
-- last are seconds after `at`, plus 1. `was` is the end (unknown, dead, cancelled or skipped) that `state` corrects, or planned.
local function read(campaign, index)
  local key, from = place(campaign, index)
  local raw = redis.call('GETRANGE', key, from, from + WIDTH - 1)
  if #raw < WIDTH then return nil end
  local state, reason, flags, provider, at, sent, delivered, last = struct.unpack('>BBBc16I4I3I3I3', raw)
  local names = numbers.names
  return {state = names[state % 16], was = names[math.floor(state / 16)], reason = reason, round = flags % 64, digest = math.floor(flags / 64) % 2,
          ambiguous = math.floor(flags / 128), provider = provider, at = at, sent = sent, delivered = delivered, last = last}
end

-- The 16 bytes of Interakt's id, and 1 when they are a digest.
local function provider_bytes(id)
  local hex = string.gsub(id or '', '-', '')
  if hex == '' then return string.rep('\0', 16), 0 end
  local digest = 0
  if #hex ~= 32 or string.find(hex, '%X') then hex, digest = string.sub(redis.sha1hex(id), 1, 32), 1 end
  return (string.gsub(hex, '%x%x', function(pair) return string.char(tonumber(pair, 16)) end)), digest
end

-- A time in ms as it is kept: seconds after the recipient's `at`, plus 1.
local function offset(recipient, ms)
  return math.min(math.max(math.floor(ms / 1000) - recipient.at, 0) + 1, 16777215)
end

local function bytes(recipient)
  local states, flags = numbers.states, recipient.round + 64 * recipient.digest + 128 * recipient.ambiguous
  return struct.pack('>BBBc16I4I3I3I3', states[recipient.state] + 16 * states[recipient.was], recipient.reason, flags, recipient.provider, recipient.at,
    recipient.sent, recipient.delivered, recipient.last)
end

-- Write a recipient whose state was `from`, and update the campaign's counts by state, by `state|reason`, and of who is planned by block.
local function write(campaign, index, recipient, from, from_reason)
  local key, at = place(campaign, index)
  redis.call('SETRANGE', key, at, bytes(recipient))
  from_reason = from_reason or 0
  if from == recipient.state and from_reason == recipient.reason then return end
  local base = P .. 'c:' .. campaign
  if from ~= recipient.state then
    redis.call('HINCRBY', base .. ':count', from, -1)
    redis.call('HINCRBY', base .. ':count', recipient.state, 1)
    local planned = (recipient.state == 'planned' and 1 or 0) - (from == 'planned' and 1 or 0)
    if planned ~= 0 then redis.call('HINCRBY', base .. ':left', int(math.floor(index / BLOCK)), planned) end
  end
  if from_reason > 0 then redis.call('HINCRBY', base .. ':count', from .. '|' .. from_reason, -1) end
  if recipient.reason > 0 then redis.call('HINCRBY', base .. ':count', recipient.state .. '|' .. recipient.reason, 1) end
end

return {WIDTH = WIDTH, reason_of = reason_of, read = read, provider = provider_bytes,
        offset = offset, write = write}
