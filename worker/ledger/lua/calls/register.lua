#!lua flags=allow-oom
-- Register an account: seed its rate once, refresh what the settings decide. KEYS[1] prefix, KEYS[2] `ij1:accounts`;
-- ARGV 1 account, 2 rate, 3 window ms, then field, value pairs written each time.
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HDEL', P .. 'state', 'keyless')
redis.call('HSETNX', P .. 'state', 'since', int(now))
redis.call('HSETNX', P .. 'state', 'rate', ARGV[2])
redis.call('HSETNX', P .. 'state', 'window_ms', ARGV[3])
for i = 4, #ARGV, 2 do redis.call('HSET', P .. 'state', ARGV[i], ARGV[i + 1]) end
return redis.call('HGET', P .. 'state', 'rate')
