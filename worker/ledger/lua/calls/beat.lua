#!lua flags=allow-oom
-- A worker process says that it lives. KEYS[1] `{ij1:workers}`, KEYS[2] `{ij1:workers}:newest`, the time of the newest beat, which never goes
-- back; ARGV 1 token, 2 a JSON object without its opening brace, 3 "1" from the process's second beat on: at the first it writes no
-- time, so that workers which have lived longer can see that Redis went back. Returns the newest time before, or 0.
local clock = redis.call('TIME')
local now = math.floor(clock[1] * 1000 + clock[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], '{"at":' .. string.format('%.0f', now) .. ',' .. ARGV[2])
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
if ARGV[3] == '1' then redis.call('SET', KEYS[2], string.format('%.0f', math.max(now, before))) end
return before
