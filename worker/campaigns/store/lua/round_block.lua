#!lua flags=allow-oom
-- Whoever of a block has one of the states is planned for the round; who is in it already stays. KEYS[1] prefix; ARGV 1 campaign,
-- 2 block, 3 round, 4 states joined by |, then, where messages per person are counted, everybody's recipient hash.
-- Returns how many. Safe to repeat.
local blocks = require 'blocks'
local frequency = require 'frequency'
local recipient_state = require 'recipient_state'
local meta, round = P .. 'c:' .. ARGV[1] .. ':meta', tonumber(ARGV[3])
if string.match(redis.call('HGET', meta, 'opening') or '', '^%d+') ~= ARGV[3] then return 0 end
local states, names, ranks = recipient_state.tables().states, recipient_state.tables().names, recipient_state.tables().ranks
local wanted = {}
for state in string.gmatch(ARGV[4], '%a+') do wanted[states[state]] = true end
local opened = blocks.change(ARGV[1], ARGV[2], function(position, was, _, flags, raw, from)
  if not wanted[was] or flags % 64 >= round then return nil end
  local last = string.sub(raw, from + 30, from + recipient_state.WIDTH)
  if was == states.failed then
    -- a message that was not delivered does not count for the person; one that died was given back when it did
    local person = ARGV[5 + position]
    if person then frequency.give_back(person, struct.unpack('>I4', raw, from + 20)) end
  else
    -- a mark: that it was sent is no news for whoever is known to have been sent to
    last = was == states.sent and '\0\0\1' or '\0\0\0'
  end
  local rest = string.char(flags - flags % 64 + round) .. string.sub(raw, from + 4, from + 29) .. last
  return states.planned, 0, rest, not ranks[names[was]] and was or 0  -- a receipt of the round before corrects that end
end)
redis.call('HINCRBY', meta, 'opened', opened)
return opened
