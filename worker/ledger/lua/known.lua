-- What may still be settled by a late answer or a receipt: a job that is unknown, waiting to repeat, or dead though it may
-- have been sent becomes done. For one that runs again it is proof, kept until that attempt is settled.
local function settle_unknown(tail, raw, head, fields)
  -- a receipt knows better than an answer that said nothing was done
  local doubtful = fields.receipt and tries_of(tail) > 0 or redis.call('HEXISTS', P .. 'maybe', tail) == 1
  local detail = redis.call('GET', P .. 'd:' .. tail)
  if detail then
    local reason = cjson.decode(detail).reason
    if reason ~= 'unknown_outcome' and reason ~= 'crash_loop' and not doubtful then return nil end
    redis.call('DEL', P .. 'd:' .. tail)
    redis.call('ZREM', P .. 'dead', tail)
    count('late|' .. head.op)
    finish(tail, raw, head, 'done', fields)
    return 'settled'
  end
  local flight = redis.call('HGET', P .. 'fl', tail)
  if flight and string.sub(flight, 1, 1) == 's' then return nil end
  if not doubtful and not redis.call('ZSCORE', P .. 'held', tail) then return nil end
  count('late|' .. head.op)
  finish(tail, raw, head, 'done', fields)
  return 'settled'
end
