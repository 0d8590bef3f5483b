-- Accept jobs of one operation: write each record, put it into its lane, wake the dispatcher.
-- KEYS[1] prefix
-- ARGV 1 operation, 2 its flags, 3 lane, 4 not before, 5 expires (both "+ms" from now, "ms" since the epoch, or ""), 6 repeat,
--      7 most attempts, 8 "1" to allow an account that no worker registered, 9 seconds an idempotency key is kept
--      (1 to 999999999), 10 id of the payload's key or "", 11 traceparent or "", then seven for each job: job_key,
--      recipient hash, group, options JSON or "", payload JSON, idempotency key or "", digest
-- Returns one string per job: "new", "known" (this job_key was accepted before: a repeat), "same <job_key>" (the key's first
-- job), "conflict" (the key or the job_key came with another payload). Nothing is written when it returns {"unregistered"},
-- {"keyless"}, {"full", "bulk" or "all"}, or an error.
local constants = require 'constants'
local records = require 'records'

local function refuse(what)
  return redis.error_reply('ERR accept: ' .. what)
end

local function one_of(value, ...)
  for _, known in ipairs({...}) do
    if value == known then return true end
  end
end

local function is_moment(text)
  return text == '' or (#text <= 16 and string.find(text, '^%+?%d+$'))
end

local function is_options(text)
  if text == '' then return true end
  local decoded, options = pcall(cjson.decode, text)
  return decoded and type(options) == 'table' and not string.find(text, '\n', 1, true)
    and one_of(type(options.on_done), 'nil', 'string') and one_of(type(options.on_done_queue), 'nil', 'string')
    and one_of(type(options.on_receipts), 'nil', 'boolean') and one_of(type(options.resend_on), 'nil', 'table')
end

-- A script is not rolled back: everything is checked before the first write.
if #ARGV < 18 or (#ARGV - 11) % 7 ~= 0 then return refuse('eleven arguments and seven for each job') end
if #ARGV[1] > 60 or not string.find(ARGV[1], '^[%w_]+$') then return refuse('the operation') end
if not string.find(ARGV[2], '^%l?%l?%l?%l?$') then return refuse('the flags') end
if not one_of(ARGV[3], unpack(constants.LANES)) then return refuse('the lane') end
if not is_moment(ARGV[4]) or not is_moment(ARGV[5]) then return refuse('a time') end
if not one_of(ARGV[6], 'always', 'after_hold', 'never') then return refuse('repeat') end
if not string.find(ARGV[7], '^%d%d?%d?$') then return refuse('the most attempts') end
if not string.find(ARGV[9], '^[1-9]%d*$') or #ARGV[9] > 9 then return refuse('seconds to keep a key') end
if #ARGV[10] > 20 or string.find(ARGV[10], '[^%w_%-]') then return refuse('the key id') end
if #ARGV[11] > 55 or string.find(ARGV[11], '[^%x%-]') then return refuse('the traceparent') end
for at = 12, #ARGV, 7 do
  if #ARGV[at] > 80 or not string.find(ARGV[at], '^[%w_.%-]+$') then return refuse('a job key') end
  if string.find(ARGV[at + 1], '[|%c]') or string.find(ARGV[at + 2], '[|%c]') then return refuse('a recipient or a group') end
  if not is_options(ARGV[at + 3]) then return refuse('options') end
end

-- "known" or "conflict" when there is a job of this job_key, else nil. An ended job may no longer have its payload to compare.
local function by_job_key(at)
  local raw = redis.call('GET', P .. 'j:' .. ARGV[at])
  if not raw then return nil end
  local payload = '\n' .. ARGV[at + 4]
  return records.header(raw) and string.sub(raw, -#payload) ~= payload and 'conflict' or 'known'
end

-- The answer for a job that was accepted before, found by its idempotency key or its job_key; nil when it is new. A key whose job
-- is gone is free again.
local function earlier(at)
  local first = ARGV[at + 5] ~= '' and redis.call('GET', P .. 'i:' .. ARGV[at + 5])
  local job_key, digest = string.match(first or '', '^(.-)|(.*)$')
  if job_key and redis.call('EXISTS', P .. 'j:' .. job_key) == 1 then
    if digest ~= ARGV[at + 6] then return 'conflict' end
    return job_key == ARGV[at] and 'known' or 'same ' .. job_key
  end
  return by_job_key(at)
end

local state = redis.call('HMGET', P .. 'state', 'since', 'full', 'keyless')
if not state[1] and ARGV[8] ~= '1' then return {'unregistered'} end
local lane = ARGV[3]
local refused = state[3] and ARGV[8] ~= '1' and {'keyless'}
if state[2] and (state[2] == 'all' or state[2] == 'bulk' and lane == 'bulk') then refused = {'full', state[2]} end
if refused then
  -- nothing new is accepted, but a repeat after a lost answer learns what was accepted before
  local answers = {}
  for at = 12, #ARGV, 7 do
    local answer = earlier(at)
    if not answer then return refused end
    answers[#answers + 1] = answer
  end
  return answers
end

-- A time in ms since the epoch.
local function moment(text)
  if text == '' then return 0 end
  if string.sub(text, 1, 1) == '+' then return now + tonumber(string.sub(text, 2)) end
  return tonumber(text)
end

local due = math.max(moment(ARGV[4]), now)
local expires = moment(ARGV[5])
if expires > 0 and string.sub(ARGV[5], 1, 1) == '+' then expires = expires + (due - now) end
local head = {op = ARGV[1], flags = ARGV[2], lane = lane, accepted = now, expires = expires, policy = ARGV[6], max = ARGV[7],
  due = due, key_id = ARGV[10], trace = ARGV[11]}

local MOST_AT_ONCE = 1000  -- Lua's stack bounds the arguments of one call

local function add(key, score, job_keys)
  for first = 1, #job_keys, MOST_AT_ONCE do
    local members = {}
    for at = first, math.min(#job_keys, first + MOST_AT_ONCE - 1) do
      members[#members + 1] = score
      members[#members + 1] = job_keys[at]
    end
    redis.call('ZADD', key, unpack(members))
  end
end

local answers, fresh = {}, {}
for at = 12, #ARGV, 7 do
  local job_key, key = ARGV[at], ARGV[at + 5]
  local answer = key ~= '' and earlier(at)
  if not answer then
    if key ~= '' then redis.call('SET', P .. 'i:' .. key, job_key .. '|' .. ARGV[at + 6], 'EX', ARGV[9]) end
    head.recipient, head.group = ARGV[at + 1], ARGV[at + 2]
    local record = records.encode(head) .. '\n' .. ARGV[at + 3] .. '\n' .. ARGV[at + 4]
    answer = by_job_key(at)
    if not answer then
      redis.call('SET', P .. 'j:' .. job_key, record)
      answer = 'new'
    end
    if answer == 'new' then fresh[#fresh + 1] = job_key end
  end
  answers[#answers + 1] = answer
end
if #fresh > 0 then
  add(P .. 'ready:' .. lane, int(due), fresh)
  if expires > 0 then add(P .. 'expires', int(expires), fresh) end
  count('enqueued|' .. ARGV[1] .. '|' .. lane, #fresh)
  if due < now + 1000 then signal() end
end
return answers
