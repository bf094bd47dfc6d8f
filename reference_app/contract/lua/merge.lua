-- Finish a rebuild: merge what was read with what fan-out pushed meanwhile. KEYS[1] epoch key; ARGV: user, epoch at begin, length, TTL in ms (0: none), id...
-- Returns 1; or 0 when the list or the epoch changed under us (flushed, invalidated): fan-out may have been skipped, so nothing is stored.
local epoch = redis.call('GET', KEYS[1]) or '0'
local key = 'tl:' .. epoch .. ':' .. ARGV[1]
if epoch ~= ARGV[2] or redis.call('LINDEX', key, -1) ~= 'b' then return 0 end
local length, ttl = tonumber(ARGV[3]), tonumber(ARGV[4])
local seen, ids = {b = true}, {}
local function take(value)
  if not seen[value] then seen[value] = true; ids[#ids + 1] = value end
end
local function newer(a, b) return #a > #b or (#a == #b and a > b) end
for _, value in ipairs(redis.call('LRANGE', key, 0, -1)) do take(value) end
for i = 5, #ARGV do take(ARGV[i]) end
table.sort(ids, newer)
redis.call('DEL', key)
if #ids > 0 then
  redis.call('RPUSH', key, unpack(ids, 1, math.min(#ids, length)))
  -- Not pushed by a delivery, so the delivery of that very tweet has to look at each list (deliver.lua).
  local newest = string.match(redis.call('GET', 'newest') or '0 ', '^%d+')
  if not newer(newest, ids[1]) then redis.call('SET', 'newest', ids[1] .. ' ') end
end
redis.call('RPUSH', key, '0')
if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
return 1
