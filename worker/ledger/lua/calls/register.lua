#!lua flags=allow-oom
-- Register an account: seed its rate once, refresh what the settings decide. KEYS[1] prefix; ARGV 1 rate,
-- 2 window ms, then field, value pairs written each time.
redis.call('HDEL', P .. 'state', 'keyless')
redis.call('HSETNX', P .. 'state', 'since', int(now))
redis.call('HSETNX', P .. 'state', 'rate', ARGV[1])
redis.call('HSETNX', P .. 'state', 'window_ms', ARGV[2])
for i = 3, #ARGV, 2 do redis.call('HSET', P .. 'state', ARGV[i], ARGV[i + 1]) end
return redis.call('HGET', P .. 'state', 'rate')
