-- KEYS[1] prefix; ARGV 1 seconds at which they were taken, then recipient hashes.
local frequency = require 'frequency'
for i = 2, #ARGV do frequency.give_back(ARGV[i], tonumber(ARGV[1])) end
return #ARGV - 1
