--! allow-oom include common terminal campaign_begin slot frequency campaigns campaign_end account flight known
-- A receipt for one job: settles what can be settled, records how far the message came. KEYS[1] prefix; ARGV 1 tail,
-- 2 kind (sent, delivered, read, failed, clicked), 3 rank (higher wins), 4 at ms, 5 failure code or "", 6 reason,
-- 7 provider id, 8 keep seconds.
-- Returns {what became of the job, what became of the delivery}: settled | known | missing; new | old | none | resend
-- (it failed with a code that the job lists in resend_on).
local tail, kind, rank = ARGV[1], ARGV[2], tonumber(ARGV[3])
local at, code, provider = int(math.max(0, tonumber(ARGV[4]) or now)), string.gsub(ARGV[5], '[^%w_]', ''), clean(ARGV[7], 80)
redis.call('HSET', P .. 'state', 'receipts_at', int(now))
count('receipt|' .. kind)
local raw = redis.call('GET', P .. 'j:' .. tail)
if not raw then
  if campaign_job(tail) then return campaign_part('receipt')(tail, kind, rank, tonumber(at), code, provider) end
  return {'missing', 'none'}
end
local became = 'known'
if string.sub(raw, 1, 1) ~= '=' then
  local head = header(raw)
  if head and of_an_earlier_round(tail, head, at) then return {'known', 'old'} end
  if head and settle_unknown(tail, raw, head, {provider = provider, message = 'settled by a receipt', keep = ARGV[8],
                                               keep_record = true, receipt = true}) then
    became = 'settled'
    count('outcome|' .. head.op .. '|' .. head.lane .. '|accepted')
    raw = redis.call('GET', P .. 'j:' .. tail)
    if not raw and campaign_job(tail) then
      campaign_part('receipt')(tail, kind, rank, tonumber(at), code, provider)
      return {'settled', 'new'}
    end
  end
end
if not raw or string.sub(raw, 1, 6) ~= '=done|' then
  -- the receipt came before the send's own answer: kept until that settles the job
  note_proof(tail, rank, kind, at, code, provider)
  return {became, 'none'}
end
return {became, delivery(tail, raw, kind, rank, at, code)}
