-- Delete what a campaign has in Redis. `base` is `<prefix>c:<campaign>`.
local function delete(base)
  for block = 0, tonumber(redis.call('HGET', base .. ':meta', 'blocks') or '0') - 1 do
    redis.call('UNLINK', base .. ':s:' .. block)
  end
  redis.call('UNLINK', base .. ':blocks', base .. ':own', base .. ':count', base .. ':left', base .. ':enqueued', base .. ':meta')
end

return {delete = delete}
