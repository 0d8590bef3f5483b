#!lua flags=allow-oom
-- KEYS[1] prefix; ARGV 1 token (one per wake-up handled), 2 lease ms, 3.. job_keys.
-- Returns per job_key {fence, record, attempts} or {} when it is no longer to be had.
local claims = require 'claims'
local places = require 'places'
local records = require 'records'
local answers = {}
for i = 3, #ARGV do
  local raw = redis.call('GET', P .. 'j:' .. ARGV[i])
  local fence = records.header(raw) and claims.one(ARGV[i], ARGV[1], tonumber(ARGV[2]))
  answers[#answers + 1] = fence and {fence, raw, (places.tries(ARGV[i]))} or {}
end
return answers
