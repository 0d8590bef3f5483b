#!lua flags=allow-oom
-- Plan again whoever of a block has one of the states and is not in the round yet.
-- KEYS[1] prefix; ARGV 1 campaign, 2 block, 3 round, 4 states joined by |, then, if messages per person are counted, the recipient
-- hash of everybody in the block. Returns how many were planned. Safe to repeat.
local blocks = require 'blocks'
local frequency = require 'frequency'
local recipient_state = require 'recipient_state'
local meta, round = P .. 'c:' .. ARGV[1] .. ':meta', tonumber(ARGV[3])
if string.match(redis.call('HGET', meta, 'opening') or '', '^%d+') ~= ARGV[3] then return 0 end
local numbers = require 'recipient_numbers'
local states = numbers.states
local wanted = {}
for state in string.gmatch(ARGV[4], '%a+') do wanted[states[state]] = true end
local opened = blocks.change(ARGV[1], ARGV[2], function(position, was, _, flags, raw, from)
  if not wanted[was] or flags % 64 >= round then return nil end
  local last = string.sub(raw, from + 30, from + recipient_state.WIDTH)
  if was == states.failed then
    -- what was not delivered does not count for the person; what ended as dead was given back then
    local person = ARGV[5 + position]
    if person then frequency.give_back(person, struct.unpack('>I4', raw, from + 20)) end
  else
    -- marks who was known to have been sent to: `sent` of the round before is not new for them
    last = was == states.sent and '\0\0\1' or '\0\0\0'
  end
  local rest = string.char(flags - flags % 64 + round) .. string.sub(raw, from + 4, from + 29) .. last
  return states.planned, 0, rest, not numbers.ranks[numbers.names[was]] and was or 0  -- which a receipt of the round before can correct
end)
redis.call('HINCRBY', meta, 'opened', opened)
return opened
