local constants = require 'constants'

-- Note in the account's audit stream what was done: the act, then pairs of a name and a value.
local function note(act, ...)
  redis.call('XADD', P .. 'audit', 'MAXLEN', '~', constants.AUDIT_MOST, '*', 'act', act, ...)
end

return {note = note}
