-- What follows, up to campaign_end.lua, is made when the first job of a campaign is at hand: nearly every call is for other jobs,
-- and making thirty functions costs them 7 us each time.
local campaign_made
campaign_part = function(name)
  if campaign_made then return campaign_made[name] end
