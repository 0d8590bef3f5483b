-- The frequency cap: at most `most` messages to a person in `days` days. A person's count on a UTC day is one field of a small
-- hash, `freq:<day>:<first 3 hex digits of the recipient hash>`; the field is the next 12 digits as 6 bytes. The 4,096 hashes of
-- a day stay compact up to two million people (11 to 17 bytes a person and day) and expire with their day.
-- Whole days are counted, today and the `days` before it: a person waits up to a day longer than asked, never shorter.
-- The caller keeps it from counting twice: take when planned becomes enqueued, give back when it ends without being sent.
local function frequency_key(recipient, day)
  return P .. 'freq:' .. int(day) .. ':' .. string.sub(recipient, 1, 3)
end

local function frequency_member(recipient)
  return (string.gsub(string.sub(recipient, 4, 15), '%x%x', function(pair) return string.char(tonumber(pair, 16)) end))
end

-- Count one message to this person if it fits: true, or false with nothing counted.
local function take(recipient, most, days)
  if most < 1 then return true end
  local member, today, used = frequency_member(recipient), math.floor(now / 86400000), 0
  for day = today - days, today do
    used = used + tonumber(redis.call('HGET', frequency_key(recipient, day), member) or '0')
    if used >= most then return false end
  end
  local key, keep = frequency_key(recipient, today), (days + 2) * 86400
  redis.call('HINCRBY', key, member, 1)
  if redis.call('TTL', key) < keep then redis.call('EXPIRE', key, keep) end
  return true
end

-- Give back what was taken at `taken_s` (seconds since the epoch) and never sent.
local function give_back(recipient, taken_s)
  local key, member = frequency_key(recipient, math.floor(taken_s / 86400)), frequency_member(recipient)
  local count = tonumber(redis.call('HGET', key, member) or '0')
  if count > 1 then
    redis.call('HINCRBY', key, member, -1)
  elseif count == 1 then
    redis.call('HDEL', key, member)
  end
end

return {take = take, give_back = give_back}
