--! allow-oom include common settings terminal hold campaign_begin slot frequency campaigns campaign_end account flight stops
-- Take back fed jobs that have not been started: to the plan, or cancelled when the campaign is. Those that may have been
-- sent, or were tried, stay. KEYS[1] prefix; ARGV 1 campaign, 2.. indexes. Returns how many were taken back.
local campaign, taken = ARGV[1], 0
local status = redis.call('HGET', P .. 'c:' .. campaign .. ':meta', 'status')
if status == 'running' then return 0 end
for i = 2, #ARGV do
  local index = tonumber(ARGV[i])
  local slot = campaign_part('slot')(campaign, index)
  if slot and slot.state == 'fed' then
    local tail = campaign .. '.' .. slot.round .. '.' .. int(index)
    local raw = redis.call('GET', P .. 'j:' .. tail)
    local head = header(raw)
    local flight = flight_of(tail)
    if head and not (flight and flight.step == 's') then
      local untried = campaign_untried(tail)
      if status == 'cancelled' or untried then
        campaign_stops(tail, raw, head)
        taken = taken + 1
      end
    end
  else
    redis.call('SREM', P .. 'c:' .. campaign .. ':fed', ARGV[i])
  end
end
return taken
