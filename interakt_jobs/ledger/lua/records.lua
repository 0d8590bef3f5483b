-- The record of a job at `j:<job_key>`: three lines with its header, its options (JSON or empty) and its payload (JSON).
-- docs/protocol.md has the header's fields. Letters of `flags` describe the operation: c it calls the API, s it needs the 24-hour
-- window, r its receipts name the job, p they name the provider's id alone.
-- An ended job has `=<done|cancelled>|op|lane|ended ms|attempts|marks|HTTP status|provider id|delivery|message` there instead,
-- followed by a newline and the record while a receipt or a correction may need it. Marks are a sum: 1 ambiguous, 2 or 4
-- when this end corrects a dead or a cancelled job.

-- The header as a table; nil for a job that has ended or is unknown.
local function header(raw)
  if not raw then return nil end
  local op, flags, lane, accepted, expires, policy, max, recipient, group, due, key_id, trace = string.match(raw,
    '^2|([^|\n]*)|([^|\n]*)|([^|\n]*)|(%d+)|(%d+)|([^|\n]*)|(%d+)|([^|\n]*)|([^|\n]*)|(%d+)|([^|\n]*)|([^|\n]*)\n')
  if not op then return nil end
  return {op = op, flags = flags, lane = lane, accepted = tonumber(accepted), expires = tonumber(expires), policy = policy,
          max = tonumber(max), recipient = recipient, group = group, due = tonumber(due), key_id = key_id, trace = trace}
end

-- The header's line, without a newline.
local function encode(head)
  return table.concat({'2', head.op, head.flags, head.lane, int(head.accepted), int(head.expires), head.policy, head.max,
                       head.recipient, head.group, int(head.due), head.key_id, head.trace}, '|')
end

local function has_flag(head, flag)
  return string.find(head.flags, flag, 1, true) ~= nil
end

-- The options of a record as a table.
local function options(raw)
  local _, first = string.find(raw, '\n', 1, true)
  local second = string.find(raw, '\n', first + 1, true)
  if not second or second == first + 1 then return {} end
  local decoded, found = pcall(cjson.decode, string.sub(raw, first + 1, second - 1))
  return decoded and type(found) == 'table' and found or {}
end

-- The line of an ended job, and the record that is kept with it or nil.
local function split_ended(raw)
  local cut = string.find(raw, '\n', 1, true)
  if not cut then return raw, nil end
  return string.sub(raw, 1, cut - 1), string.sub(raw, cut + 1)
end

-- Whether this is a record of another version: it is left for a newer worker and never dropped.
local function foreign(raw)
  return raw and string.find(raw, '^%d+|') and string.sub(raw, 1, 2) ~= '2|'
end

-- Set a value aside that is neither a record nor an ended job's.
local function no_header(job_key, raw)
  if raw and string.sub(raw, 1, 1) ~= '=' then set_aside('j:' .. job_key, 'no record') end
end

return {header = header, encode = encode, has_flag = has_flag, options = options, split_ended = split_ended, foreign = foreign,
        no_header = no_header}
