-- KEYS[1] prefix; ARGV 1 most messages, 2 days, then recipient hashes. Returns 1 (counted) or 0 for each, then the seconds at
-- which they were taken. A call repeated because its answer was lost counts twice: errs towards fewer messages.
local frequency = require 'frequency'
local answers = {}
for i = 3, #ARGV do
  answers[#answers + 1] = frequency.take(ARGV[i], tonumber(ARGV[1]), tonumber(ARGV[2])) and 1 or 0
end
answers[#answers + 1] = math.floor(now / 1000)
return answers
