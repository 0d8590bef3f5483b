local numbers = require 'recipient_numbers'
local recipient_state = require 'recipient_state'

-- Change the recipients of a block in one call and update the counts. `change(position, state, reason, flags, raw, from)` is
-- called for each; `raw` is the block's string and `from` the recipient's offset in it. It returns the new state and reason
-- (numbers), the other 30 bytes and the corrected state (or nil), or nil to change nothing. Returns how many were changed.
local function change_block(campaign, block, change)
  local base = P .. 'c:' .. campaign
  local key = base .. ':s:' .. block
  local raw = redis.call('GET', key) or ''
  local parts, counts, changed, planned = {}, {}, 0, 0
  local function tally(state, reason, by)
    local name = numbers.names[state]
    counts[name] = (counts[name] or 0) + by
    if reason > 0 then counts[name .. '|' .. reason] = (counts[name .. '|' .. reason] or 0) + by end
    if name == 'planned' then planned = planned + by end
  end
  for position = 0, #raw / recipient_state.WIDTH - 1 do
    local from = position * recipient_state.WIDTH
    local state, reason, flags = string.byte(raw, from + 1, from + 3)
    state = state % 16
    local new_state, new_reason, rest, was = change(position, state, reason, flags, raw, from)
    if new_state then
      changed = changed + 1
      tally(state, reason, -1)
      tally(new_state, new_reason, 1)
      parts[position + 1] = string.char(new_state + 16 * (was or 0), new_reason) .. rest
    else
      parts[position + 1] = string.sub(raw, from + 1, from + recipient_state.WIDTH)
    end
  end
  if changed == 0 then return 0 end
  redis.call('SET', key, table.concat(parts))
  for name, by in pairs(counts) do
    if by ~= 0 then redis.call('HINCRBY', base .. ':count', name, by) end
  end
  if planned ~= 0 then redis.call('HINCRBY', base .. ':left', block, planned) end
  return changed
end

return {change = change_block}
