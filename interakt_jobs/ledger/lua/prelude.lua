-- Every script begins with this file. KEYS[1] is an account's prefix, `{ij1:<partition>}:<account>:`. Every key of the account
-- starts with it, so all of them are in one slot of a cluster.
local P = KEYS[1]

local plain_redis = redis

local optouts_lost = false

-- Rename a key that does not hold what the ledger put there. A script that stopped half-way because of it would lose or repeat
-- jobs. Hash `aside` maps the key to its type and its new name; the reaper reads list `astray` and puts the lost jobs back.
-- Without its opt-outs (`lost_at`) the account's bulk jobs wait for a person; without its budget all wait for a whole window.
local function set_aside(name, what)
  local time = plain_redis.call('TIME')
  local place = P .. 'aside:' .. name .. ':' .. time[1] .. time[2]
  plain_redis.call('RENAME', P .. name, place)
  plain_redis.pcall('HSET', P .. 'aside', name, what .. ' ' .. place)
  plain_redis.pcall('RPUSH', P .. 'astray', name)
  if name == 'optout' then
    optouts_lost = true
    plain_redis.pcall('HSET', P .. 'state', 'lost_at', time[1] .. '000', 'lost_why', 'without its opt-outs')
  elseif name == 'bud' then
    local window = plain_redis.pcall('HGET', P .. 'state', 'window_ms')
    plain_redis.call('HSET', P .. 'bud', 'tat', string.format('%.0f', (time[1] * 1000 + (tonumber(window) or 60000)) * 1000))
  end
end

local redis = {error_reply = plain_redis.error_reply, sha1hex = plain_redis.sha1hex}

-- As Redis's own; a key of the account that has the wrong type is set aside, and the command is run again.
function redis.call(...)
  local answer = plain_redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  local _, key = ...
  local wrong = string.find(answer.err, '^WRONGTYPE') or string.find(answer.err, 'not an integer', 1, true)
  if wrong and string.sub(key, 1, #P) == P then set_aside(string.sub(key, #P + 1), plain_redis.call('TYPE', key).ok) end
  return plain_redis.call(...)
end

-- The time of Redis in microseconds and in milliseconds.
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = math.floor(now_us / 1000)

-- A number as text without an exponent.
local function int(number)
  return string.format('%.0f', number)
end

-- Add to a counter of the metrics.
local function count(field, by)
  redis.call('HINCRBY', P .. 'count', field, by or 1)
end

-- Add a duration to a histogram: to its sum, and to the bucket whose bound it does not exceed. `bounds` are one of
-- constants.BOUNDS; worker/web/buckets.py reads them.
local function observe(name, label, ms, bounds)
  count(name .. '_ms|' .. label, ms)
  local place = 'inf'
  for _, bound in ipairs(bounds) do
    if ms <= bound then
      place = bound
      break
    end
  end
  count(name .. '_le|' .. label .. '|' .. place)
end

-- Text from outside as a field of a record: without bars and control characters, at most `most` bytes.
local function clean(text, most)
  return string.sub(string.gsub(text or '', '[|%c]', ' '), 1, most)
end

-- Wake the dispatcher: there is something to do. One signal is enough for all that is there.
local function signal()
  if redis.call('LLEN', P .. 'signal') == 0 then redis.call('RPUSH', P .. 'signal', '1') end
end
