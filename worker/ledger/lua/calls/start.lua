--! allow-oom include common settings terminal hold campaign_begin slot frequency campaigns campaign_end account flight stops recipient budget start
-- KEYS[1] prefix; ARGV 1 tail, 2 fence, 3 lease ms. Returns what start.lua says.
return start_one(ARGV[1], tonumber(ARGV[2]), redis.call('GET', P .. 'j:' .. ARGV[1]), tonumber(ARGV[3]), true)
