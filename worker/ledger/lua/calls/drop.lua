#!lua flags=allow-oom
-- Drop dead letters for good. KEYS[1] prefix; ARGV 1 who, 2.. job_keys. Returns how many were dropped.
local places = require 'places'
local dropped = 0
for i = 2, #ARGV do
  local job_key = ARGV[i]
  if redis.call('ZREM', P .. 'dead', job_key) == 1 then
    places.erase(job_key)
    dropped = dropped + 1
  end
end
if dropped > 0 then
  require('audit').note('drop', 'jobs', dropped, 'job', ARGV[2], 'who', ARGV[1])
end
return dropped
