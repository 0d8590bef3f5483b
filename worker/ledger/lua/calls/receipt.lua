#!lua flags=allow-oom
-- A receipt for one job: settles what can be settled, records how far the message came. KEYS[1] prefix; ARGV 1 job_key,
-- 2 kind (sent, delivered, read, failed, clicked), 3 rank (higher wins), 4 at ms, 5 failure code or "", 6 provider id.
-- Returns {what became of the job, what became of the delivery}: settled | known | missing; new | old | none | resend
-- (it failed with a code that the job lists in resend_on).
local account = require 'account'
local places = require 'places'
local proofs = require 'proofs'
local receipts = require 'receipts'
local records = require 'records'
local job_key, kind, rank = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at, code, provider = int(math.max(0, tonumber(ARGV[4]) or now)), string.gsub(ARGV[5], '[^%w_]', ''), clean(ARGV[6], 80)

-- When the last call was made of a job that is not done yet (ms); nil when that is not known.
local function last_called()
  local fine, attempt = pcall(cjson.decode, redis.call('LINDEX', P .. 'log:' .. job_key, -1) or '')
  return fine and type(attempt) == 'table' and tonumber(attempt.at) or nil
end

account.came('receipts_at', tonumber(at))
count('receipt|' .. kind)
local raw = redis.call('GET', P .. 'j:' .. job_key)
if not raw then
  if places.of_campaign(job_key) then return require('campaigns').receipt(job_key, kind, rank, tonumber(at), code, provider) end
  return {'missing', 'none'}
end
local became, called = 'known', nil
if string.sub(raw, 1, 6) ~= '=done|' then
  local _, kept = records.split_ended(raw)
  local head = records.header(raw) or records.header(kept)
  if head and receipts.of_earlier_round(job_key, head, at) then return {'known', 'old'} end
  called = last_called()
  if proofs.settle(job_key, raw, {provider = provider, message = 'settled by a receipt', keep_record = true, receipt = true, called = called}) then
    became = 'settled'
    count('outcome|' .. head.op .. '|' .. head.lane .. '|accepted')
    raw = redis.call('GET', P .. 'j:' .. job_key)
    if not raw and places.of_campaign(job_key) then
      require('campaigns').receipt(job_key, kind, rank, tonumber(at), code, provider)
      return {'settled', 'new'}
    end
  end
end
if not raw or string.sub(raw, 1, 6) ~= '=done|' then
  -- the receipt came before the send's own answer: kept until that settles the job
  receipts.note_proof(job_key, rank, kind, at, code, provider)
  return {became, 'none'}
end
return {became, receipts.delivery(job_key, raw, kind, rank, at, code, called)}
