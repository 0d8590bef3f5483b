-- The outcome slots of a campaign's recipients: 32 bytes each, 1,000 to the string `c:<campaign>:s:<block>`; the layout is
-- documented in worker/campaigns/store/recipient_state.py. Numbers once given are never given again. The tables are made when first used:
-- most calls that include this settle no campaign's job.
local WIDTH = 32

local BLOCK = 1000

local slot_made

local function tables()
  if slot_made then return slot_made end
  slot_made = {
    states = {planned = 0, skipped = 1, enqueued = 2, accepted = 3, sent = 4, delivered = 5, read = 6, failed = 7, dead = 8,
              unknown = 9, cancelled = 10, held = 11},
    names = {},
    ranks = {accepted = 0, sent = 1, failed = 2, delivered = 3, read = 4},
    reasons = {rejected = 1, invalid_payload = 2, max_attempts = 3, unknown_outcome = 4, expired = 5, crash_loop = 6,
      opted_out = 7, too_old = 8, unknown_operation = 9, undeliverable_now = 10, recipient_limit = 11, frequency_cap = 20,
      after_end = 21, stopped = 22, not_on_whatsapp = 32, marketing_cap = 33, experiment = 34, outside_window = 35,
      spam_limit = 36, pair_rate = 37, throughput = 38, provider_error = 39, missing_parameter = 40, media = 41, template = 42,
      other = 63},
  }
  for name, number in pairs(slot_made.states) do slot_made.names[number] = name end
  return slot_made
end

-- The reason's number for a failed receipt's code, as worker/campaigns/reasons.py has them.
local function reason_of(code)
  local known = {['131026'] = 32, ['1013'] = 32, ['131049'] = 33, ['130472'] = 34, ['131047'] = 35, ['131048'] = 36,
    ['131056'] = 37, ['130429'] = 38, ['131000'] = 39, ['131008'] = 40, ['131052'] = 41, ['131053'] = 41, ['132000'] = 42,
    ['132001'] = 42, ['132012'] = 42, ['132015'] = 42, ['132016'] = 42}
  return known[code] or 63
end

local function place(campaign, index)
  return P .. 'c:' .. campaign .. ':s:' .. int(math.floor(index / BLOCK)), (index % BLOCK) * WIDTH
end

-- A slot as a table, or nil where the plan has none. Times are seconds; sent, delivered and last are offsets plus 1. `was` is the end
-- that is corrected by what stands now (unknown, dead, cancelled or skipped), or planned for none.
local function read(campaign, index)
  local key, from = place(campaign, index)
  local raw = redis.call('GETRANGE', key, from, from + WIDTH - 1)
  if #raw < WIDTH then return nil end
  local state, reason, flags, provider, at, sent, delivered, last = struct.unpack('>BBBc16I4I3I3I3', raw)
  local names = tables().names
  return {state = names[state % 16], was = names[math.floor(state / 16)], reason = reason, round = flags % 64, digest = math.floor(flags / 64) % 2,
          ambiguous = math.floor(flags / 128), provider = provider, at = at, sent = sent, delivered = delivered, last = last}
end

-- The 16 bytes of Interakt's id, and 1 when they are a digest.
local function slot_provider(id)
  local hex = string.gsub(id or '', '-', '')
  if hex == '' then return string.rep('\0', 16), 0 end
  local digest = 0
  if #hex ~= 32 or string.find(hex, '%X') then hex, digest = string.sub(redis.sha1hex(id), 1, 32), 1 end
  return (string.gsub(hex, '%x%x', function(pair) return string.char(tonumber(pair, 16)) end)), digest
end

-- A time in ms as an offset to the slot's own, plus 1.
local function offset(slot, ms)
  return math.min(math.max(math.floor(ms / 1000) - slot.at, 0) + 1, 16777215)
end

local function bytes(slot)
  local states, flags = tables().states, slot.round + 64 * slot.digest + 128 * slot.ambiguous
  return struct.pack('>BBBc16I4I3I3I3', states[slot.state] + 16 * states[slot.was], slot.reason, flags, slot.provider, slot.at,
    slot.sent, slot.delivered, slot.last)
end

-- Write a slot whose state was `from`, and keep the campaign's counts: `<state>`, `<state>|<reason>`, and who is left by block.
local function write(campaign, index, slot, from, from_reason)
  local key, at = place(campaign, index)
  redis.call('SETRANGE', key, at, bytes(slot))
  from_reason = from_reason or 0
  if from == slot.state and from_reason == slot.reason then return end
  local base = P .. 'c:' .. campaign
  if from ~= slot.state then
    redis.call('HINCRBY', base .. ':count', from, -1)
    redis.call('HINCRBY', base .. ':count', slot.state, 1)
    local planned = (slot.state == 'planned' and 1 or 0) - (from == 'planned' and 1 or 0)
    if planned ~= 0 then redis.call('HINCRBY', base .. ':left', int(math.floor(index / BLOCK)), planned) end
  end
  if from_reason > 0 then redis.call('HINCRBY', base .. ':count', from .. '|' .. from_reason, -1) end
  if slot.reason > 0 then redis.call('HINCRBY', base .. ':count', slot.state .. '|' .. slot.reason, 1) end
end

return {WIDTH = WIDTH, tables = tables, reason_of = reason_of, read = read, provider = slot_provider,
        offset = offset, write = write}
