#!lua flags=allow-oom
-- A permit for a call that is no job, such as the doctor's: every HTTP call takes one. KEYS[1] prefix; ARGV 1 lane.
-- Returns 0 to go now, ms to wait, or -1 for an account that no worker registered.
local account = require 'account'
local budget = require 'budget'
if redis.call('HEXISTS', P .. 'state', 'since') == 0 then return -1 end
return budget.permit(ARGV[1], account.state())
