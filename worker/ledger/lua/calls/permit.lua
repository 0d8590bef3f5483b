--! allow-oom include common settings account budget
-- A permit for a call that is no job, such as the doctor's: every HTTP call takes one. KEYS[1] prefix; ARGV 1 lane.
-- Returns 0 to go now, ms to wait, or -1 for an account that no worker registered.
if redis.call('HEXISTS', P .. 'state', 'since') == 0 then return -1 end
return permit(ARGV[1], account())
