--! allow-oom include
-- A worker process says that it lives. KEYS[1] `ij1:workers`; ARGV 1 token, 2 a JSON object without its opening brace.
local clock = redis.call('TIME')
return redis.call('HSET', KEYS[1], ARGV[1], '{"at":' .. string.format('%.0f', math.floor(clock[1] * 1000 + clock[2] / 1000)) .. ',' .. ARGV[2])
