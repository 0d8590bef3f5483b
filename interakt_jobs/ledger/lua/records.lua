-- The short string of an ended job, and the record that is kept with it, if any.
local function split_ended(raw)
  local cut = string.find(raw, '\n', 1, true)
  if not cut then return raw, nil end
  return string.sub(raw, 1, cut - 1), string.sub(raw, cut + 1)
end

-- A record is three lines: its header, its options (JSON or empty), its payload (JSON). docs/protocol.md has the header's
-- fields. Letters of `flags` say what the operation is: c a call of the API, s needs the 24-hour window, r a receipt names the
-- job, p a receipt names the provider's id alone.
-- The header of a record that is still alive; nil for an ended or unknown job.
local function header(raw)
  if not raw then return nil end
  local op, flags, lane, accepted, expires, policy, max, recipient, group, due, key_id, trace = string.match(raw,
    '^2|([^|\n]*)|([^|\n]*)|([^|\n]*)|(%d+)|(%d+)|([^|\n]*)|(%d+)|([^|\n]*)|([^|\n]*)|(%d+)|([^|\n]*)|([^|\n]*)\n')
  if not op then return nil end
  return {op = op, flags = flags, lane = lane, accepted = tonumber(accepted), expires = tonumber(expires), policy = policy,
          max = tonumber(max), recipient = recipient, group = group, due = tonumber(due), key_id = key_id, trace = trace}
end

-- The header's line, without its end.
local function encode(head)
  return table.concat({'2', head.op, head.flags, head.lane, int(head.accepted), int(head.expires), head.policy, head.max,
                       head.recipient, head.group, int(head.due), head.key_id, head.trace}, '|')
end

local function has_flag(head, flag)
  return string.find(head.flags, flag, 1, true) ~= nil
end

local function options(raw)
  local _, first = string.find(raw, '\n', 1, true)
  local second = string.find(raw, '\n', first + 1, true)
  if not second or second == first + 1 then return {} end
  local fine, found = pcall(cjson.decode, string.sub(raw, first + 1, second - 1))
  return fine and type(found) == 'table' and found or {}
end

-- A record that is alive but of a version this one cannot read: left for a newer worker, never dropped.
local function foreign(raw)
  return raw and string.find(raw, '^%d+|') and string.sub(raw, 1, 2) ~= '2|'
end

-- The record of a job that is not foreign and has no header: what is none at all is set aside.
local function no_header(job_key, raw)
  if raw and string.sub(raw, 1, 1) ~= '=' then set_aside('j:' .. job_key, 'no record') end
end

return {split_ended = split_ended, header = header, encode = encode, has_flag = has_flag, options = options, foreign = foreign, no_header = no_header}
