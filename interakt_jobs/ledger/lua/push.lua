#!lua flags=allow-oom
-- Put ARGV[1] at the head of the list KEYS[1], also when Redis is at its maxmemory: what was taken in must go on.
return redis.call('LPUSH', KEYS[1], ARGV[1])
