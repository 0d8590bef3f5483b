-- KEYS[1] is an account's prefix, `{ij1:<partition>}:<account>:`; every key of the account is made from it, so all are in one
-- slot. Time is Redis's own: `now` in milliseconds, `now_us` in microseconds.
local P = KEYS[1]

-- Out of the way with a key that is not what the ledger put there: a script that stopped in its middle for it would lose or
-- double jobs, and one that begins with it would stop for ever. Hash `aside` says what lies where, list `astray` waits for
-- the reaper, who names it and looks for the jobs that were in it. A forgotten opt-out, or a forgotten use of the limit, must
-- cost nobody anything.
local plain_redis = redis

local optouts_lost = false

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

function redis.call(...)
  local answer = plain_redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  local _, key = ...
  local wrong = string.find(answer.err, '^WRONGTYPE') or string.find(answer.err, 'not an integer', 1, true)
  if wrong and string.sub(key, 1, #P) == P then set_aside(string.sub(key, #P + 1), plain_redis.call('TYPE', key).ok) end
  return plain_redis.call(...)
end

local clock = redis.call('TIME')

local now_us = clock[1] * 1000000 + clock[2]

local now = math.floor(now_us / 1000)

local function int(number)
  return string.format('%.0f', number)
end

local function count(field, by)
  redis.call('HINCRBY', P .. 'count', field, by or 1)
end

-- One observation of a duration: a sum and the bucket it falls in, as worker/web/buckets.py reads them; `bounds` are of constants.BOUNDS.
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

-- Text from outside as a field of a line with bars.
local function clean(text, most)
  return string.sub(string.gsub(text or '', '[|%c]', ' '), 1, most)
end

-- Wake the dispatcher: there is something to do. One signal is enough for all that is there.
local function signal()
  if redis.call('LLEN', P .. 'signal') == 0 then redis.call('RPUSH', P .. 'signal', '1') end
end
