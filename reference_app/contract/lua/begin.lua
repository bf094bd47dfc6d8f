-- Begin a rebuild: the list exists from now on, so that concurrent fan-out is pushed and not skipped, but reads as a miss.
-- One that another process is rebuilding keeps what was pushed meanwhile: the other may have read its sources before.
-- KEYS[1] epoch key; ARGV: user, milliseconds after which an abandoned rebuild is forgotten. Returns the epoch.
local epoch = redis.call('GET', KEYS[1]) or '0'
local key = 'tl:' .. epoch .. ':' .. ARGV[1]
if redis.call('LINDEX', key, -1) ~= 'b' then
  redis.call('DEL', key)
  redis.call('RPUSH', key, 'b')
end
redis.call('PEXPIRE', key, ARGV[2])
return epoch
