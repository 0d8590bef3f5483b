#!lua flags=allow-oom
-- Change a dead letter's payload; it stays dead until it is replayed. KEYS[1] prefix; ARGV 1 job_key, 2 payload JSON,
-- 3 recipient hash, 4 group, 5 who. Returns edited, missing or alive.
local records = require 'records'
local raw = redis.call('GET', P .. 'j:' .. ARGV[1])
if not raw then return 'missing' end
if redis.call('EXISTS', P .. 'd:' .. ARGV[1]) == 0 then return 'alive' end
local head = records.header(raw)
if not head then return 'alive' end
local _, first = string.find(raw, '\n', 1, true)
local second = string.find(raw, '\n', first + 1, true)
head.recipient, head.group = ARGV[3], ARGV[4]
redis.call('SET', P .. 'j:' .. ARGV[1], records.encode(head) .. string.sub(raw, first, second) .. ARGV[2])
require('audit').note('edit', 'job', ARGV[1], 'who', ARGV[5])
return 'edited'
