-- What may still be settled by a late answer or a receipt: a job that is unknown, waiting to repeat after a hold, or dead
-- `unknown_outcome` becomes done; one that was sent again meanwhile becomes ambiguous.
local function settle_unknown(tail, raw, head, fields)
  local detail = redis.call('GET', P .. 'd:' .. tail)
  if detail then
    if cjson.decode(detail).reason ~= 'unknown_outcome' then return nil end
    redis.call('DEL', P .. 'd:' .. tail)
    redis.call('ZREM', P .. 'dead', tail)
    count('late|' .. head.op)
    finish(tail, raw, head, 'done', fields)
    return 'settled'
  end
  local flight = redis.call('HGET', P .. 'fl', tail)
  if flight and string.sub(flight, 1, 1) == 's' then
    if redis.call('HEXISTS', P .. 'maybe', tail) == 1 then redis.call('HSET', P .. 'maybe', tail, '2') end
    return nil
  end
  local held = redis.call('ZSCORE', P .. 'held', tail)
  if not held and redis.call('HEXISTS', P .. 'maybe', tail) == 0 then return nil end
  count('late|' .. head.op)
  finish(tail, raw, head, 'done', fields)
  return 'settled'
end
