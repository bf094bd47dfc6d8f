#!lua flags=allow-oom
-- Tell a cache the celebrity threshold that its lists are filled under from now on. KEYS[1] epoch key; ARGV: threshold, the one that the
-- caller told before (0: none), which stands in for a cache that forgot. Lists lack what authors between a lower threshold and a higher one
-- posted under the lower: when it rises, the lists are forgotten as by invalidate.lua, to be rebuilt at their next read. Returns 1 then, else 0.
local threshold = tonumber(ARGV[1])
local known = tonumber(redis.call('GET', 'celebrity_followers') or ARGV[2])
local rises = known ~= 0 and threshold > known
if rises then
  local epoch = tonumber(redis.call('GET', KEYS[1]) or '0') + 1
  redis.call('FLUSHDB', 'SYNC')
  redis.call('SET', KEYS[1], epoch)
end
redis.call('SET', 'celebrity_followers', threshold)
return rises and 1 or 0
