#!lua flags=allow-oom
-- Keep an inbound message once, open its sender's 24-hour window and tell the named task. KEYS[1] prefix; ARGV 1 message id,
-- 2 JSON, 3 seconds it is kept, 4 hash of the sender's number or "", 5 task or "", 6 queue or "", 7 content kind, 8 "stop", "start" or
-- "": what it asks of the opt-out list, 9 hash of the sender's id or "", 10 when it was written (ms), 11 what is left of the window (ms),
-- then hashes by which earlier releases kept the number.
-- Returns 0 for a repeat, 1, 2 for a STOP whose number nobody knows: it is in `optout_open` until somebody does, or 3 when something was
-- decided after it was written, so that its keyword is not heard.
local account = require 'account'
local identities = require 'identities'
local at, window = tonumber(ARGV[10]), tonumber(ARGV[11])
account.came('inbound_at', at)
if not redis.call('SET', P .. 'in:' .. ARGV[1], ARGV[2], 'NX', 'EX', ARGV[3]) then return 0 end
count('inbound|' .. ARGV[7])
local number, id, asks, answer = ARGV[4], ARGV[9], ARGV[8], 1
if id ~= '' and number ~= '' then identities.link(id, number) end
if id ~= '' and number == '' then number = identities.number_of(id) end
local decided = asks == 'start' and tonumber(redis.call('HGET', P .. 'state', 'optout_imported') or '0') or 0
for _, person in ipairs({number, id}) do
  decided = math.max(decided, tonumber(redis.call('ZSCORE', P .. 'decided', person) or '0'))
end
if asks ~= '' and at < decided then
  asks, answer = '', 3
  count('webhook|stale')
end
for _, person in ipairs({number, id}) do
  if person ~= '' then
    local key = P .. 'window:' .. person
    if window > math.max(0, redis.call('PTTL', key)) then redis.call('SET', key, '1', 'PX', int(window)) end
    if asks ~= '' then redis.call('ZADD', P .. 'decided', 'GT', int(at), person) end
    if asks == 'stop' then redis.call('SADD', P .. 'optout', person) end
    if asks == 'start' then redis.call('SREM', P .. 'optout', person, id, unpack(ARGV, 12)) end
  end
end
if asks == 'start' then redis.call('HDEL', P .. 'optout_open', id) end
if asks == 'stop' and number == '' then
  local open = P .. 'optout_open'
  if redis.call('HLEN', open) < 10000 then redis.call('HSET', open, id ~= '' and id or ARGV[1], ARGV[2]) end
  answer = 2
end
if ARGV[5] ~= '' then
  redis.call('RPUSH', P .. 'outbox', cjson.encode({id = ARGV[1], state = ARGV[7], task = ARGV[5], queue = ARGV[6] ~= '' and ARGV[6] or nil,
                                                   event = 'inbound'}))
  signal()
end
return answer
