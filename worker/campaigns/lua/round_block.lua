--! allow-oom include common slot frequency
-- Whoever of a block has one of the states is planned for the round; who is in it already stays. KEYS[1] prefix; ARGV 1 campaign,
-- 2 block, 3 round, 4 states joined by commas, then, where messages per person are counted, everybody's recipient hash.
-- Returns how many. Safe to repeat.
local base, block, round = P .. 'c:' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local opening = redis.call('HGET', base .. ':meta', 'opening') or ''
if string.match(opening, '^%d+') ~= ARGV[3] then return 0 end
local wanted = {}
for state in string.gmatch(ARGV[4], '%a+') do wanted[slot_tables().states[state]] = true end
local key, opened = base .. ':s:' .. ARGV[2], 0
local raw = redis.call('GET', key) or ''
for at = 0, #raw / SLOT_WIDTH - 1 do
  local state, _, flags = string.byte(raw, at * SLOT_WIDTH + 1, at * SLOT_WIDTH + 3)
  if wanted[state] and flags % 64 < round then
    local index = block * SLOT_BLOCK + at
    local slot = slot_read(ARGV[1], index)
    local from, reason = slot.state, slot.reason
    -- a message that was not delivered does not count for the person; one that died was given back when it did
    if from == 'failed' and ARGV[5 + at] then frequency_give_back(ARGV[5 + at], slot.at) end
    -- a mark: that it was sent is no news for whoever is known to have been sent to
    if from ~= 'failed' then slot.last = from == 'sent' and 1 or 0 end
    slot.state, slot.reason, slot.round = 'planned', 0, round
    slot_write(ARGV[1], index, slot, from, reason)
    opened = opened + 1
  end
end
redis.call('HINCRBY', base .. ':meta', 'opened', opened)
return opened
