-- Begin a rebuild: the list exists from now on, so that concurrent fan-out is pushed and not skipped, but reads as a miss.
-- KEYS[1] epoch key; ARGV: user, milliseconds after which an abandoned rebuild is forgotten. Returns the epoch.
local epoch = redis.call('GET', KEYS[1]) or '0'
local key = 'tl:' .. epoch .. ':' .. ARGV[1]
redis.call('DEL', key)
redis.call('RPUSH', key, 'b')
redis.call('PEXPIRE', key, ARGV[2])
return epoch
