local frequency = require 'frequency'
local places = require 'places'
local receipts = require 'receipts'
local recipient_state = require 'recipient_state'

-- Campaign sends (`<campaign>.<round>.<index>`) keep no record of their own once they have ended: the outcome goes to the
-- recipient's slot in the script that ends the job, and what is heard later finds the slot by the id.
local function split(job_key)
  local campaign, round, index = string.match(job_key, '^(c[a-z0-9]+)%.(%d+)%.(%d+)$')
  return campaign, tonumber(round), tonumber(index)
end

-- A number among the options of a campaign's record: `until` (ms, when the window closes) or `capped`.
local function option(raw, name)
  local line = string.match(raw, '^[^\n]*\n([^\n]*)')
  return tonumber(line and string.match(line, '"' .. name .. '":(%d+)') or '0')
end

-- The message is not sent in this round: it no longer counts for the person.
local function unsent(raw, head, slot)
  if slot.at > 0 and option(raw, 'capped') == 1 then frequency.give_back(head.recipient, slot.at) end
end

-- How far a message came: the rank decides, not the order in which receipts arrive; each time is kept once.
local function note_receipt(slot, kind, at, code)
  local ranks = recipient_state.tables().ranks
  if kind == 'clicked' then kind = 'read' end
  local new = (ranks[kind] or -1) > ranks[slot.state]
  if slot.at == 0 then slot.at = math.floor(math.min(at, now) / 1000) end
  if kind == 'sent' and slot.sent == 0 then
    slot.sent = recipient_state.offset(slot, at)
  elseif kind == 'delivered' and slot.delivered == 0 then
    slot.delivered = recipient_state.offset(slot, at)
  end
  if not new then return false end
  if kind == 'read' or kind == 'failed' then
    slot.last = recipient_state.offset(slot, at)
  elseif slot.state == 'failed' then
    slot.last = 0
  end
  slot.reason = kind == 'failed' and recipient_state.reason_of(code) or 0
  slot.state = kind
  observe('receipt', kind, math.max(0, now - slot.at * 1000), receipts.BOUNDS)
  if kind == 'failed' then count('delivery_failed|' .. code) end
  return true
end

-- A slot starts to be accepted.
local function accepted(slot, provider, ms)
  slot.state, slot.reason, slot.at = 'accepted', 0, math.floor(ms / 1000)
  slot.sent, slot.delivered, slot.last = 0, 0, 0
  slot.provider, slot.digest = recipient_state.provider(provider)
end

-- A job that may have been sent is held: its person no longer counts as being sent to.
local function hold(job_key, reason)
  local campaign, _, index = split(job_key)
  local slot = recipient_state.read(campaign, index)
  if not slot or slot.state ~= 'enqueued' then return end
  redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
  slot.state, slot.reason = 'held', recipient_state.tables().reasons[reason] or 63
  recipient_state.write(campaign, index, slot, 'enqueued')
end

-- Its hold is over and it is sent again.
local function end_hold(job_key)
  local campaign, _, index = split(job_key)
  local slot = recipient_state.read(campaign, index)
  if not slot or slot.state ~= 'held' then return end
  redis.call('SADD', P .. 'c:' .. campaign .. ':enqueued', int(index))
  local reason = slot.reason
  slot.state, slot.reason = 'enqueued', 0
  recipient_state.write(campaign, index, slot, 'held', reason)
end

-- `possibly_sent` is 1 when a call of it may have been accepted, 2 when two may (0: any number, and no harm), else false.
local function fold(job_key, raw, head, state, fields, possibly_sent)
  local campaign, round, index = split(job_key)
  local proof = state == 'done' and receipts.proof(job_key)
  redis.call('DEL', P .. 'early:' .. job_key)
  redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
  local slot = recipient_state.read(campaign, index)
  if not slot or (slot.state ~= 'enqueued' and slot.state ~= 'held') or slot.round ~= round then return end
  local from, from_reason = slot.state, slot.reason
  if possibly_sent == '2' then slot.ambiguous = 1 end
  if state == 'done' then
    accepted(slot, fields.provider, now)
    if proof and proof.rank > 0 then note_receipt(slot, proof.kind, tonumber(proof.at), proof.code) end
  else
    local doubtful = possibly_sent or fields.reason == 'unknown_outcome'
    local reason = fields.reason or (doubtful and 'unknown_outcome' or '')
    if not doubtful then unsent(raw, head, slot) end
    slot.state, slot.at = doubtful and 'unknown' or state, math.floor(now / 1000)
    if not doubtful and (reason == 'opted_out' or reason == 'recipient_limit') then slot.state = 'skipped' end
    if not doubtful and reason == 'expired' then slot.state, reason = 'skipped', 'after_end' end
    slot.reason = reason ~= '' and (recipient_state.tables().reasons[reason] or 63) or 0
  end
  recipient_state.write(campaign, index, slot, from, from_reason)
end

-- What proves that a send was accepted, when its job has ended: the slot of that round becomes accepted. Returns the slot
-- as it then is, not yet written, or nil when it says nothing new; `rank` is the receipt's, 0 for a late answer.
local function proven(campaign, round, index, slot, rank, provider, ms)
  if slot.round == round then
    if recipient_state.tables().ranks[slot.state] then return slot, false end
    if slot.state == 'enqueued' then
      redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
    elseif slot.state ~= 'held' then
      slot.was = slot.state
    end
    accepted(slot, provider, ms)
    return slot, true
  end
  -- an earlier round: whoever waits for the new one has got it already; a failure is known to have been accepted, so that
  -- only its delivery is news
  if slot.round < round or rank == 2 then return nil end
  if slot.state == 'planned' then
    if slot.last > 0 and rank < 3 then return nil end
    slot.round = round
    accepted(slot, provider, ms)
    return slot, true
  end
  if rank >= 3 and slot.ambiguous == 0 and slot.state ~= 'skipped' and slot.state ~= 'cancelled' then
    slot.ambiguous = 1
    recipient_state.write(campaign, index, slot, slot.state, slot.reason)
  end
  return nil
end

local function receipt(job_key, kind, rank, at, code, provider)
  local campaign, round, index = split(job_key)
  local slot = recipient_state.read(campaign, index)
  if not slot then return {'missing', 'none'} end
  local from, from_reason = slot.state, slot.reason
  local found, settled = proven(campaign, round, index, slot, rank, provider, math.min(at, now))
  if not found then return {'known', 'old'} end
  local new = note_receipt(slot, kind, at, code)
  recipient_state.write(campaign, index, slot, from, from_reason)
  return {settled and 'settled' or 'known', new and 'new' or 'old'}
end

-- An answer that came after its job had ended without one.
local function late_answer(job_key, provider)
  local campaign, round, index = split(job_key)
  local slot = recipient_state.read(campaign, index)
  if not slot then return 'already' end
  local from, from_reason = slot.state, slot.reason
  local found, settled = proven(campaign, round, index, slot, 0, provider, now)
  if not found then return 'already' end
  if not settled then
    if slot.provider ~= string.rep('\0', 16) then return 'already' end
    slot.provider, slot.digest = recipient_state.provider(provider)
  end
  recipient_state.write(campaign, index, slot, from, from_reason)
  return settled and 'settled' or 'already'
end

-- Back to the plan: the job was enqueued and nothing of it can have been sent.
local function dequeue(job_key, raw, head, campaign, index)
  places.remove(job_key, head)
  redis.call('HDEL', P .. 'tries', job_key)
  redis.call('DEL', P .. 'j:' .. job_key, P .. 'log:' .. job_key, P .. 'early:' .. job_key)
  redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
  local slot = recipient_state.read(campaign, index)
  if not slot or slot.state ~= 'enqueued' then return end
  unsent(raw, head, slot)
  slot.state, slot.at = 'planned', 0
  recipient_state.write(campaign, index, slot, 'enqueued')
end

return {split = split, option = option, hold = hold, end_hold = end_hold, fold = fold, receipt = receipt,
        late_answer = late_answer, dequeue = dequeue}
