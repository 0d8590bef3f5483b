#!lua flags=allow-oom
-- Change the status of a campaign.
-- KEYS[1] prefix; ARGV 1 campaign, 2 new status, 3 why, 4 the statuses from which it may change, joined by commas, 5 who, then
-- field, value pairs of the meta hash. Returns {"changed"}, {"same"}, {"missing"}, or {the status that forbids it}. Safe to repeat.
local base = P .. 'c:' .. ARGV[1]
local status = redis.call('HGET', base .. ':meta', 'status')
if not status then return {'missing'} end
if status == ARGV[2] then return {'same'} end
if not string.find(',' .. ARGV[4] .. ',', ',' .. status .. ',', 1, true) then return {status} end
redis.call('HSET', base .. ':meta', 'status', ARGV[2], 'why', ARGV[3], 'turned_at', int(now))
for i = 6, #ARGV, 2 do redis.call('HSET', base .. ':meta', ARGV[i], ARGV[i + 1]) end
-- the feeder looks at these; complete_if_idle.lua takes a campaign out
redis.call('SADD', P .. 'campaigns_on', ARGV[1])
require('audit').note('campaign_' .. ARGV[2], 'campaign', ARGV[1], 'why', clean(ARGV[3], 200), 'who', ARGV[5])
signal()
return {'changed'}
