-- Tell a cache the celebrity threshold that its lists are filled under from now on. KEYS[1] epoch key; ARGV: threshold, the one that the
-- caller told before (0: none), which stands in for a cache that forgot. Lists lack what authors between a lower threshold and a higher one
-- posted under the lower: when it rises, the epoch is bumped, so that all lists are rebuilt at their next read. Returns 1 then, else 0.
local threshold = tonumber(ARGV[1])
local known = tonumber(redis.call('GET', 'celebrity_followers') or ARGV[2])
redis.call('SET', 'celebrity_followers', threshold)
if known == 0 or threshold <= known then return 0 end
redis.call('INCR', KEYS[1])
return 1
