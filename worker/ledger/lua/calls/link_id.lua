-- A webhook came with both a number and an id. KEYS[1] prefix; ARGV 1 the id's hash, 2 the number's hash.
local identities = require 'identities'
identities.link(ARGV[1], ARGV[2])
return 1
