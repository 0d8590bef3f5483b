  campaign_made = {fold = campaign_fold, receipt = campaign_receipt, late = campaign_late, unfeed = campaign_unfeed,
                   hold = campaign_hold, unhold = campaign_unhold, option = campaign_option, tail = campaign_tail, slot = slot_read}
  return campaign_made[name]
end
