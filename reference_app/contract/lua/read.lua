-- Read a timeline. KEYS[1] epoch key; ARGV: user, last index. Returns {epoch, 'ready'|'partial'|'building'|'absent', ids}; the sentinel is left out.
-- A list that expires lacks a source (merge.lua).
local epoch = redis.call('GET', KEYS[1]) or '0'
local key = 'tl:' .. epoch .. ':' .. ARGV[1]
local sentinel = redis.call('LINDEX', key, -1)
if not sentinel then return {epoch, 'absent', {}} end
if sentinel ~= '0' then return {epoch, 'building', {}} end
local ids = redis.call('LRANGE', key, 0, tonumber(ARGV[2]))
if ids[#ids] == '0' then table.remove(ids) end
return {epoch, redis.call('PTTL', key) > 0 and 'partial' or 'ready', ids}
