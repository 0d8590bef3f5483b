local constants = require 'constants'
local frequency = require 'frequency'
local numbers = require 'recipient_numbers'
local places = require 'places'
local receipts = require 'receipts'
local recipient_state = require 'recipient_state'

-- A job of a campaign (`<campaign>.<round>.<index>`) keeps no record after its end. The script that ends it writes the outcome
-- to the recipient's state, and later receipts find the recipient by the job's id.
local function split(job_key)
  local campaign, round, index = string.match(job_key, '^(c[a-z0-9]+)%.(%d+)%.(%d+)$')
  return campaign, tonumber(round), tonumber(index)
end

-- A number among the options of a campaign's record: `until` (ms, when the window closes) or `capped`.
local function option(raw, name)
  local line = string.match(raw, '^[^\n]*\n([^\n]*)')
  return tonumber(line and string.match(line, '"' .. name .. '":(%d+)') or '0')
end

-- Nothing was sent in this round, so that it does not count for messages per person.
local function unsent(raw, head, recipient)
  if recipient.at > 0 and option(raw, 'capped') == 1 then frequency.give_back(head.recipient, recipient.at) end
end

-- Apply one receipt: true if it changed the state. The higher rank wins, in whatever order receipts arrive, and each time is
-- kept once.
local function note_receipt(recipient, kind, at, code)
  local ranks = numbers.ranks
  if kind == 'clicked' then kind = 'read' end
  local new = (ranks[kind] or -1) > ranks[recipient.state]
  if recipient.at == 0 then recipient.at = math.floor(math.min(at, now) / 1000) end
  if kind == 'sent' and recipient.sent == 0 then
    recipient.sent = recipient_state.offset(recipient, at)
  elseif kind == 'delivered' and recipient.delivered == 0 then
    recipient.delivered = recipient_state.offset(recipient, at)
  end
  if not new then return false end
  if kind == 'read' or kind == 'failed' then
    recipient.last = recipient_state.offset(recipient, at)
  elseif recipient.state == 'failed' then
    recipient.last = 0
  end
  recipient.reason = kind == 'failed' and recipient_state.reason_of(code) or 0
  recipient.state = kind
  observe('receipt', kind, math.max(0, now - recipient.at * 1000), constants.BOUNDS.receipt)
  if kind == 'failed' then count('delivery_failed|' .. code) end
  return true
end

-- The provider has accepted the message.
local function accepted(recipient, provider, ms)
  recipient.state, recipient.reason, recipient.at = 'accepted', 0, math.floor(ms / 1000)
  recipient.sent, recipient.delivered, recipient.last = 0, 0, 0
  recipient.provider, recipient.digest = recipient_state.provider(provider)
end

-- The job is held because it may have been sent: its recipient is no longer enqueued.
local function hold(job_key, reason)
  local campaign, _, index = split(job_key)
  local recipient = recipient_state.read(campaign, index)
  if not recipient or recipient.state ~= 'enqueued' then return end
  redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
  recipient.state, recipient.reason = 'held', numbers.reasons[reason] or numbers.reasons.other
  recipient_state.write(campaign, index, recipient, 'enqueued')
end

-- The hold is over and the job is sent again.
local function end_hold(job_key)
  local campaign, _, index = split(job_key)
  local recipient = recipient_state.read(campaign, index)
  if not recipient or recipient.state ~= 'held' then return end
  redis.call('SADD', P .. 'c:' .. campaign .. ':enqueued', int(index))
  local reason = recipient.reason
  recipient.state, recipient.reason = 'enqueued', 0
  recipient_state.write(campaign, index, recipient, 'held', reason)
end

-- Write the end of a job to its recipient. `possibly_sent` is 1 if one call may have been accepted, 2 if two may have been
-- (0: any number, and repeating does no harm), else false.
local function fold(job_key, raw, head, state, fields, possibly_sent)
  local campaign, round, index = split(job_key)
  local proof = state == 'done' and receipts.proof(job_key)
  redis.call('DEL', P .. 'early:' .. job_key)
  redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
  local recipient = recipient_state.read(campaign, index)
  if not recipient or (recipient.state ~= 'enqueued' and recipient.state ~= 'held') or recipient.round ~= round then return end
  local from, from_reason = recipient.state, recipient.reason
  if possibly_sent == '2' then recipient.ambiguous = 1 end
  if state == 'done' then
    accepted(recipient, fields.provider, now)
    if proof and proof.rank > 0 then note_receipt(recipient, proof.kind, tonumber(proof.at), proof.code) end
  else
    local doubtful = possibly_sent or fields.reason == 'unknown_outcome'
    local reason = fields.reason or (doubtful and 'unknown_outcome' or '')
    if not doubtful then unsent(raw, head, recipient) end
    recipient.state, recipient.at = doubtful and 'unknown' or state, math.floor(now / 1000)
    if not doubtful and (reason == 'opted_out' or reason == 'recipient_limit') then recipient.state = 'skipped' end
    if not doubtful and reason == 'expired' then recipient.state, reason = 'skipped', 'after_end' end
    recipient.reason = reason ~= '' and (numbers.reasons[reason] or numbers.reasons.other) or 0
  end
  recipient_state.write(campaign, index, recipient, from, from_reason)
end

-- A receipt (of `rank`) or a late answer (rank 0) proves that a message was accepted. Returns the recipient, changed but not yet
-- written, and whether its state is settled by the proof; nil when the proof is of an earlier round and changes nothing.
local function proven(campaign, round, index, recipient, rank, provider, ms)
  if recipient.round == round then
    if numbers.ranks[recipient.state] then return recipient, false end
    if recipient.state == 'enqueued' then
      redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
    elseif recipient.state ~= 'held' then
      recipient.was = recipient.state
    end
    accepted(recipient, provider, ms)
    return recipient, true
  end
  -- Proof of an earlier round: who still waits for the new round has the message already. A failed message (rank 2) was known
  -- to be accepted, so that only a delivery is new.
  if recipient.round < round or rank == 2 then return nil end
  if recipient.state == 'planned' then
    if recipient.last > 0 and rank < 3 then return nil end
    recipient.round = round
    accepted(recipient, provider, ms)
    return recipient, true
  end
  if rank >= 3 and recipient.ambiguous == 0 and recipient.state ~= 'skipped' and recipient.state ~= 'cancelled' then
    recipient.ambiguous = 1
    recipient_state.write(campaign, index, recipient, recipient.state, recipient.reason)
  end
  return nil
end

local function receipt(job_key, kind, rank, at, code, provider)
  local campaign, round, index = split(job_key)
  local recipient = recipient_state.read(campaign, index)
  if not recipient then return {'missing', 'none'} end
  local from, from_reason = recipient.state, recipient.reason
  local found, settled = proven(campaign, round, index, recipient, rank, provider, math.min(at, now))
  if not found then return {'known', 'old'} end
  local new = note_receipt(recipient, kind, at, code)
  recipient_state.write(campaign, index, recipient, from, from_reason)
  return {settled and 'settled' or 'known', new and 'new' or 'old'}
end

-- The provider's answer, when it comes after the job ended without one.
local function late_answer(job_key, provider)
  local campaign, round, index = split(job_key)
  local recipient = recipient_state.read(campaign, index)
  if not recipient then return 'already' end
  local from, from_reason = recipient.state, recipient.reason
  local found, settled = proven(campaign, round, index, recipient, 0, provider, now)
  if not found then return 'already' end
  if not settled then
    if recipient.provider ~= string.rep('\0', 16) then return 'already' end
    recipient.provider, recipient.digest = recipient_state.provider(provider)
  end
  recipient_state.write(campaign, index, recipient, from, from_reason)
  return settled and 'settled' or 'already'
end

-- Put the recipient of an enqueued job back to planned and remove the job; nothing of it can have been sent.
local function dequeue(job_key, raw, head, campaign, index)
  places.remove(job_key, head)
  redis.call('HDEL', P .. 'tries', job_key)
  redis.call('DEL', P .. 'j:' .. job_key, P .. 'log:' .. job_key, P .. 'early:' .. job_key)
  redis.call('SREM', P .. 'c:' .. campaign .. ':enqueued', int(index))
  local recipient = recipient_state.read(campaign, index)
  if not recipient or recipient.state ~= 'enqueued' then return end
  unsent(raw, head, recipient)
  recipient.state, recipient.at = 'planned', 0
  recipient_state.write(campaign, index, recipient, 'enqueued')
end

return {split = split, option = option, hold = hold, end_hold = end_hold, fold = fold, receipt = receipt,
        late_answer = late_answer, dequeue = dequeue}
