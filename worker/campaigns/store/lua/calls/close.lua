#!lua flags=allow-oom
-- Change everybody of a block who is still planned to another state.
-- KEYS[1] prefix; ARGV 1 campaign, 2 block, 3 state, 4 number of the reason or 0.
-- Returns how many were changed: 0 if they would be cancelled and the campaign is not. Safe to repeat.
local blocks = require 'blocks'
local recipient_state = require 'recipient_state'
local status = redis.call('HGET', P .. 'c:' .. ARGV[1] .. ':meta', 'status')
if ARGV[3] == 'cancelled' and status ~= 'cancelled' then return 0 end
local states = require('recipient_numbers').states
local planned, state, reason = states.planned, states[ARGV[3]], tonumber(ARGV[4])
local stamp = struct.pack('>I4', math.floor(now / 1000))
return blocks.change(ARGV[1], ARGV[2], function(_, was, _, _, raw, from)
  if was ~= planned then return nil end
  return state, reason, string.sub(raw, from + 3, from + 19) .. stamp .. string.sub(raw, from + 24, from + recipient_state.WIDTH)
end)
