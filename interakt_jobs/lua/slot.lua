-- The outcome slots of a campaign's recipients: 32 bytes each, 1,000 to the string `c:<campaign>:s:<block>`; the layout is
-- documented in worker/campaigns/slots.py. Numbers once given are never given again.
local SLOT_STATES = {planned = 0, skipped = 1, fed = 2, accepted = 3, sent = 4, delivered = 5, read = 6, failed = 7, dead = 8,
                     unknown = 9, cancelled = 10}
local SLOT_NAMES = {}
for name, number in pairs(SLOT_STATES) do SLOT_NAMES[number] = name end
local SLOT_REASONS = {rejected = 1, invalid_payload = 2, max_attempts = 3, unknown_outcome = 4, expired = 5, crash_loop = 6,
  opted_out = 7, too_old = 8, unknown_operation = 9, undeliverable_now = 10, recipient_limit = 11, frequency_cap = 20,
  after_end = 21, stopped = 22, not_on_whatsapp = 32, marketing_cap = 33, experiment = 34, outside_window = 35,
  spam_limit = 36, pair_rate = 37, throughput = 38, provider_error = 39, missing_parameter = 40, media = 41, template = 42,
  other = 63}
local SLOT_WIDTH, SLOT_BLOCK = 32, 1000
local SLOT_NO_ID = string.rep('\0', 16)

local function slot_place(campaign, index)
  return P .. 'c:' .. campaign .. ':s:' .. int(math.floor(index / SLOT_BLOCK)), (index % SLOT_BLOCK) * SLOT_WIDTH
end

-- A slot as a table, or nil where the plan has none. Times are seconds; sent, delivered and last are offsets plus 1.
local function slot_read(campaign, index)
  local key, from = slot_place(campaign, index)
  local raw = redis.call('GETRANGE', key, from, from + SLOT_WIDTH - 1)
  if #raw < SLOT_WIDTH then return nil end
  local state, reason, flags, provider, at, sent, delivered, last = struct.unpack('>BBBc16I4I3I3I3', raw)
  return {state = SLOT_NAMES[state], reason = reason, round = flags % 64, digest = math.floor(flags / 64) % 2,
          ambiguous = math.floor(flags / 128), provider = provider, at = at, sent = sent, delivered = delivered, last = last}
end

-- The 16 bytes of Interakt's id, and 1 when they are a digest.
local function slot_provider(id)
  local hex = string.gsub(id or '', '-', '')
  if hex == '' then return SLOT_NO_ID, 0 end
  local digest = 0
  if #hex ~= 32 or string.find(hex, '%X') then hex, digest = string.sub(redis.sha1hex(id), 1, 32), 1 end
  return (string.gsub(hex, '%x%x', function(pair) return string.char(tonumber(pair, 16)) end)), digest
end

-- A time in ms as an offset to the slot's own, plus 1.
local function slot_offset(slot, ms)
  return math.min(math.max(math.floor(ms / 1000) - slot.at, 0) + 1, 16777215)
end

-- Write a slot whose state was `from`, and keep the campaign's counts: `<state>`, `<state>|<reason>`.
local function slot_write(campaign, index, slot, from, from_reason)
  local key, at = slot_place(campaign, index)
  local flags = slot.round + 64 * slot.digest + 128 * slot.ambiguous
  redis.call('SETRANGE', key, at, struct.pack('>BBBc16I4I3I3I3', SLOT_STATES[slot.state], slot.reason, flags, slot.provider,
    slot.at, slot.sent, slot.delivered, slot.last))
  from_reason = from_reason or 0
  if from == slot.state and from_reason == slot.reason then return end
  local counts = P .. 'c:' .. campaign .. ':count'
  redis.call('HINCRBY', counts, from, -1)
  redis.call('HINCRBY', counts, slot.state, 1)
  if from_reason > 0 then redis.call('HINCRBY', counts, from .. '|' .. from_reason, -1) end
  if slot.reason > 0 then redis.call('HINCRBY', counts, slot.state .. '|' .. slot.reason, 1) end
end
