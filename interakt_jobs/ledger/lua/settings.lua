-- The settings of an account. A worker writes them into hash `state` when it registers the account. Until then these defaults
-- apply; a test compares them with config/schema.py. Times are in ms, keep_done and keep_dead in seconds.
local DEFAULTS = {rate = '300', window_ms = '60000', share_urgent = '60', share_normal = '20', share_bulk = '20', pair_ms = '0',
                  per_day = '0', window_guard = '0', max_age = '259200000', keep_done = '259200', keep_dead = '2592000',
                  hold_ms = '60000', otp_hold_ms = '20000', never_hold_ms = '600000', webhooks = '0'}

local function get(name)
  return redis.call('HGET', P .. 'state', name) or DEFAULTS[name]
end

return {DEFAULTS = DEFAULTS, get = get}
