-- A person may be known by a number, by an id of WhatsApp's (BSUID), or both. `ids:<first 3 hex digits of the id's hash>` has
-- the other 13 -> the number's hash: small hashes that stay packed.
local function number_of(id)
  return redis.call('HGET', P .. 'ids:' .. string.sub(id, 1, 3), string.sub(id, 4)) or ''
end

-- Link an id to a number. A STOP that came with the id alone holds for the number from now on.
local function link(id, number)
  if number_of(id) == number then return end
  redis.call('HSET', P .. 'ids:' .. string.sub(id, 1, 3), string.sub(id, 4), number)
  if redis.call('HDEL', P .. 'optout_open', id) == 1 then redis.call('SADD', P .. 'optout', number) end
end

return {number_of = number_of, link = link}
