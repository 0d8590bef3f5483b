#!lua flags=allow-oom
-- Put a message at the head of a list, also when Redis is at its maxmemory: it must not be lost.
-- KEYS[1] list
-- ARGV 1 message
return redis.call('LPUSH', KEYS[1], ARGV[1])
