#!lua flags=allow-oom
-- Note that beat asks for a slot. KEYS[1] the schedule's hash, KEYS[2] the index; ARGV 1 "slot:when", 2 when beat looks again.
-- A schedule that was removed meanwhile stays removed, one that was paused stays paused. Safe to repeat.
if redis.call('HEXISTS', KEYS[1], 'table') == 0 or redis.call('HEXISTS', KEYS[1], 'paused') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'asked', ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], KEYS[1])
return 1
