--! include common
-- Accept jobs of one operation: write each record, put it into its lane, ring the pacer's doorbell.
-- KEYS[1] prefix
-- ARGV 1 operation, 2 lane, 3 not before, 4 expires ("+ms" from now, "ms" since the epoch, or ""), 5 repeat,
--      6 most attempts, 7 allow an account that no worker registered ("1"), 8 seconds an idempotency key is kept
--      then seven per job: tail, recipient hash, group, options JSON or "", payload JSON, idempotency key or "", digest
-- Returns one string per job: "new", "known" (this tail was accepted before: a repeat), "same <tail>" (the key's first
-- job), "conflict" (the key with another payload); or one of {"unregistered"}, {"full", "bulk" or "all"}, nothing written.
local state = redis.call('HMGET', P .. 'state', 'since', 'full')
if not state[1] and ARGV[7] ~= '1' then return {'unregistered'} end
local lane = ARGV[2]
if state[2] and state[2] ~= '' and (state[2] == 'all' or lane == 'bulk') then return {'full', state[2]} end

local function moment(text)
  if text == '' then return 0 end
  if string.sub(text, 1, 1) == '+' then return now + tonumber(string.sub(text, 2)) end
  return tonumber(text)
end

local due = math.max(moment(ARGV[3]), now)
local expires = moment(ARGV[4])
if expires > 0 and string.sub(ARGV[4], 1, 1) == '+' then expires = expires + (due - now) end
local head = '1|' .. ARGV[1] .. '|' .. lane .. '|' .. int(now) .. '|' .. int(expires) .. '|' .. ARGV[5] .. '|' .. ARGV[6]
local answers = {}
local accepted = 0
for at = 9, #ARGV, 7 do
  local tail, key = ARGV[at], ARGV[at + 5]
  local answer
  if redis.call('EXISTS', P .. 'j:' .. tail) == 1 then
    answer = 'known'
  elseif key ~= '' then
    local first = redis.call('GET', P .. 'i:' .. key)
    if first then
      local first_tail, digest = string.match(first, '^(.-)|(.*)$')
      answer = digest == ARGV[at + 6] and ('same ' .. first_tail) or 'conflict'
    else
      redis.call('SET', P .. 'i:' .. key, tail .. '|' .. ARGV[at + 6], 'EX', ARGV[8])
    end
  end
  if not answer then
    redis.call('SET', P .. 'j:' .. tail, head .. '|' .. ARGV[at + 1] .. '|' .. ARGV[at + 2] .. '|' .. int(due)
      .. '\n' .. ARGV[at + 3] .. '\n' .. ARGV[at + 4])
    redis.call('ZADD', P .. 'ready:' .. lane, due, tail)
    if expires > 0 then redis.call('ZADD', P .. 'expires', expires, tail) end
    accepted = accepted + 1
    answer = 'new'
  end
  answers[#answers + 1] = answer
end
if accepted > 0 then
  count('enqueued|' .. ARGV[1] .. '|' .. lane, accepted)
  if due < now + 1000 and redis.call('LLEN', P .. 'bell') == 0 then redis.call('RPUSH', P .. 'bell', '1') end
end
return answers
