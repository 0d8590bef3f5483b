--! allow-oom include common slot
-- Turn everybody of a block who is still planned into another state. KEYS[1] prefix; ARGV 1 campaign, 2 block, 3 state,
-- 4 reason's number or 0. Safe to repeat. Returns how many; 0 as well when the campaign runs again and is not to be closed.
local base = P .. 'c:' .. ARGV[1]
local status = redis.call('HGET', base .. ':meta', 'status')
if ARGV[3] == 'cancelled' and status ~= 'cancelled' then return 0 end
local key, reason, turned = base .. ':s:' .. ARGV[2], tonumber(ARGV[4]), 0
local raw = redis.call('GET', key) or ''
local planned = string.char(slot_tables().states.planned)
for at = 0, #raw / SLOT_WIDTH - 1 do
  if string.sub(raw, at * SLOT_WIDTH + 1, at * SLOT_WIDTH + 1) == planned then
    local slot = slot_read(ARGV[1], tonumber(ARGV[2]) * SLOT_BLOCK + at)
    slot.state, slot.reason, slot.at = ARGV[3], reason, math.floor(now / 1000)
    redis.call('SETRANGE', key, at * SLOT_WIDTH, slot_bytes(slot))
    turned = turned + 1
  end
end
redis.call('HSET', base .. ':left', ARGV[2], 0)
if turned > 0 then
  redis.call('HINCRBY', base .. ':count', 'planned', -turned)
  redis.call('HINCRBY', base .. ':count', ARGV[3], turned)
  if reason > 0 then redis.call('HINCRBY', base .. ':count', ARGV[3] .. '|' .. reason, turned) end
end
return turned
