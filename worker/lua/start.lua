-- Start: the last script before HTTP. Answers {"go", ms the permit stays fresh}, {"wait", ms}, {"back", why}, {"dead", reason} or {"gone"}.
-- sent_at is written here, so a worker that dies later leaves a job that may have been sent.
local SESSION = {send_text = true, send_image = true, send_document = true, send_video = true, send_audio = true,
                 send_sticker = true, send_buttons = true, send_list = true}

local function start_one(tail, fence, raw, lease_ms)
  local flight = flight_of(tail)
  if not flight or flight.fence ~= fence then return {'gone'} end
  local state = account()
  local _, _, guard = plan(state)
  local fresh = math.floor(guard / 1000)
  if flight.step == 's' then return {'go', fresh} end
  local head = header(raw)
  if not head then
    forget_flight(tail, flight.lane)
    return {'gone'}
  end
  if head.expires > 0 and now >= head.expires then
    local maybe = redis.call('HEXISTS', P .. 'maybe', tail) == 1
    die(tail, raw, head, maybe and 'unknown_outcome' or 'expired', 'it expired before it could be sent')
    return {'dead', 'expired'}
  end
  if now - head.due > tonumber(state.max_age or '259200000') then
    die(tail, raw, head, 'too_old', 'it waited longer than INTERAKT_MAX_AGE_SECONDS')
    return {'dead', 'too_old'}
  end
  if head.lane == 'bulk' and head.recipient ~= '' and redis.call('SISMEMBER', P .. 'optout', head.recipient) == 1 then
    die(tail, raw, head, 'opted_out', 'the recipient has opted out')
    return {'dead', 'opted_out'}
  end
  if state.window_guard == '1' and SESSION[head.op] and head.recipient ~= ''
    and now - tonumber(state.inbound_at or '0') < 86400000 and redis.call('EXISTS', P .. 'window:' .. head.recipient) == 0 then
    die(tail, raw, head, 'undeliverable_now', 'the person has not written within 24 hours: send a template')
    return {'dead', 'undeliverable_now'}
  end
  if head.group ~= '' then
    local till = group_pause(head.group)
    if till and (till > now or not redis.call('SET', P .. 'probe:' .. head.group, tail, 'NX', 'PX', 30000)) then
      park(tail, head)
      return {'back', 'template paused'}
    end
  end
  if paused_until() > now then
    to_ready(tail, head, head.due)
    return {'back', 'account paused'}
  end
  if state.breaker == 'open' then
    local probe = redis.call('GET', P .. 'probe')
    if probe and probe ~= tail then
      to_ready(tail, head, head.due)
      return {'back', 'account probed'}
    end
    redis.call('SET', P .. 'probe', tail, 'PX', 30000)
  end
  if head.recipient ~= '' then
    local later, reason = recipient_limit(head, state)
    if reason then
      die(tail, raw, head, reason, 'the most bulk messages per recipient and day were reached')
      return {'dead', reason}
    end
    if later then
      to_ready(tail, head, later)
      return {'back', 'recipient limit'}
    end
  end
  local wait = permit(head.lane, state)
  if wait > 0 then return {'wait', wait} end
  recipient_used(head, state)
  forget_flight(tail, head.lane)
  set_flight(tail, 's', fence, flight.token, now, head.lane)
  redis.call('ZADD', P .. 'run:' .. head.lane, now + lease_ms, tail)
  if redis.call('HGET', P .. 'maybe', tail) == '1' then redis.call('HSET', P .. 'maybe', tail, '2') end
  count('attempts|' .. head.op)
  count('wait_ms|' .. head.lane, math.max(0, now - head.due))
  return {'go', fresh}
end
