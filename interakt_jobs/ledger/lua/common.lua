-- KEYS[1] is an account's prefix, `ij1:<account>:`; every key of the account is made from it (Redis Cluster
-- is not supported). Time is Redis's own: `now` in milliseconds, `now_us` in microseconds.
local P = KEYS[1]
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = math.floor(now_us / 1000)

local function int(number)
  return string.format('%.0f', number)
end

local function count(field, by)
  redis.call('HINCRBY', P .. 'count', field, by or 1)
end

-- One observation of a duration: a sum and the bucket it falls in, as worker/web/buckets.py reads them.
local function observe(name, label, ms, bounds)
  count(name .. '_ms|' .. label, ms)
  local place = 'inf'
  for bound in string.gmatch(bounds, '%d+') do
    if ms <= tonumber(bound) then
      place = bound
      break
    end
  end
  count(name .. '_le|' .. label .. '|' .. place)
end

-- The header line of a record that is still alive; nil for an ended or unknown job.
local function header(raw)
  if not raw then return nil end
  local op, lane, accepted, expires, policy, max, recipient, group, due =
    string.match(raw, '^1|([^|\n]*)|([^|\n]*)|(%d+)|(%d+)|([^|\n]*)|(%d+)|([^|\n]*)|([^|\n]*)|(%d+)\n')
  if not op then return nil end
  return {op = op, lane = lane, accepted = tonumber(accepted), expires = tonumber(expires), policy = policy,
          max = tonumber(max), recipient = recipient, group = group, due = tonumber(due)}
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
  return raw and string.sub(raw, 1, 1) ~= '=' and not header(raw)
end

-- Text from outside as a field of a line with bars.
local function clean(text, most)
  return string.sub(string.gsub(text or '', '[|%c]', ' '), 1, most)
end
