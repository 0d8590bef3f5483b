#!lua flags=allow-oom
-- Redis has lost an account's data, and a living worker writes the account's state again. KEYS[1] prefix;
-- ARGV 1 what tells this loss from others, 2 why, then field, value pairs of the state as the worker saw it last.
-- From now on bulk jobs wait for a person (confirm_loss.lua), and the first call waits for a whole window of the limit, since
-- the calls in it are forgotten. If the data is older ("older" as 2), its jobs may have been sent since: they wait in
-- `doubt:<lane>` for the same person.
-- Returns {1 for the first worker that does it, else 0, since}.
local account = require 'account'
local budget = require 'budget'
local constants = require 'constants'
local first = redis.call('HGET', P .. 'state', 'lost_mark') ~= ARGV[1]
if first then
  redis.call('HSET', P .. 'state', unpack(ARGV, 3))
  redis.call('HSETNX', P .. 'state', 'since', int(now))
  redis.call('HSET', P .. 'state', 'lost_mark', ARGV[1], 'lost_at', int(now), 'lost_why', ARGV[2])
  for _, lane in ipairs(ARGV[2] == 'older' and constants.LANES or {}) do
    for _, job_key in ipairs(redis.call('ZRANGE', P .. 'rel:' .. lane, 0, -1)) do redis.call('HDEL', P .. 'fl', job_key) end
    redis.call('ZUNIONSTORE', P .. 'doubt:' .. lane, 3, P .. 'doubt:' .. lane, P .. 'ready:' .. lane, P .. 'rel:' .. lane,
      'WEIGHTS', 1, 1, 0, 'AGGREGATE', 'MIN')  -- in `rel` the score is a deadline
    redis.call('DEL', P .. 'ready:' .. lane, P .. 'rel:' .. lane)
  end
  local _, ahead, _, guard = budget.plan(account.state(), 0)
  redis.call('DEL', P .. 'bud')
  redis.call('HSET', P .. 'bud', 'tat', int(now_us + tonumber(account.state().window_ms) * 1000 + guard + ahead))
end
return {first and 1 or 0, redis.call('HGET', P .. 'state', 'since')}
