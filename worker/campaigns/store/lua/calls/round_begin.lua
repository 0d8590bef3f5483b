#!lua flags=allow-oom
-- Begin a round, or give the one that was cut off.
-- KEYS[1] prefix; ARGV 1 campaign, 2 states joined by |, 3 number of the last round, 4 the campaign's end (ms) or 0, 5 who.
-- Returns {"open", round, its states}, {"nobody"} if nobody has one of the states, or {why not}.
local key = P .. 'c:' .. ARGV[1] .. ':meta'
local meta = redis.call('HMGET', key, 'status', 'round', 'opening')
local status, opening = meta[1], meta[3] or ''
if status ~= 'running' and status ~= 'paused' and status ~= 'done' then
  return {'it is ' .. (status or 'missing') .. ': nobody can be sent to again'}
end
if tonumber(ARGV[4]) > 0 and now >= tonumber(ARGV[4]) then return {'its end has passed'} end
if opening == '' then
  local people = 0
  for state in string.gmatch(ARGV[2], '%a+') do
    people = people + tonumber(redis.call('HGET', P .. 'c:' .. ARGV[1] .. ':count', state) or '0')
  end
  if people == 0 then return {'nobody'} end
  local round = tonumber(meta[2] or '0') + 1
  if round > tonumber(ARGV[3]) then return {'it has had its last round'} end
  opening = int(round) .. '|' .. ARGV[2]
  redis.call('HSET', key, 'round', round, 'opening', opening, 'opened', 0)
  require('audit').note('campaign_retry', 'campaign', ARGV[1], 'why', ARGV[2], 'who', ARGV[5] or '')
end
local round, states = string.match(opening, '^(%d+)|(.*)$')
return {'open', round, states}
