#!lua flags=allow-oom
-- A person has confirmed a loss of Redis' data: the jobs that waited for that go again. KEYS[1] prefix. Returns 1, or 0 if nothing did.
local constants = require 'constants'
if redis.call('HDEL', P .. 'state', 'lost_at') == 0 then return 0 end
for _, lane in ipairs(constants.LANES) do
  local ready, doubt = P .. 'ready:' .. lane, P .. 'doubt:' .. lane
  if redis.call('EXISTS', doubt) == 1 then redis.call('ZUNIONSTORE', ready, 2, ready, doubt, 'AGGREGATE', 'MIN') end
  redis.call('DEL', doubt)
end
signal()
return 1
