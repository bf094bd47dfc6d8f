#!lua flags=allow-oom
-- Forget all lists of this cache: it gets a new epoch, and is emptied, because nothing would ever delete the lists of the old one.
-- KEYS[1] epoch key. Also when the memory is full, hence the flag. Returns the new epoch.
local epoch = tonumber(redis.call('GET', KEYS[1]) or '0') + 1
local threshold = redis.call('GET', 'celebrity_followers')
redis.call('FLUSHDB', 'SYNC')
redis.call('SET', KEYS[1], epoch)
if threshold then redis.call('SET', 'celebrity_followers', threshold) end
return epoch
