#!lua flags=allow-oom
-- KEYS[1] prefix; ARGV 1 job_key, 2 fence, 3 lease ms. Returns what `starting.lua` says.
local starting = require 'starting'
return starting.one(ARGV[1], tonumber(ARGV[2]), redis.call('GET', P .. 'j:' .. ARGV[1]), tonumber(ARGV[3]), true)
