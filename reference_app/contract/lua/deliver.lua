-- Push one tweet to many timelines of this cache. KEYS[1] epoch key; ARGV: id, trim_at, length, user...
-- Only lists that exist are pushed to: inactive users cost nothing. Returns how many existed.
local epoch = redis.call('GET', KEYS[1]) or '0'
local id, trim_at, length = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local function trim(key)
  local all, seen, kept = redis.call('LRANGE', key, 0, -1), {}, {}
  local sentinel = table.remove(all)
  for _, value in ipairs(all) do
    if not seen[value] then seen[value] = true; kept[#kept + 1] = value end
  end
  table.sort(kept, function(a, b) return a > b end)
  local ttl = redis.call('PTTL', key)
  redis.call('DEL', key)
  redis.call('RPUSH', key, unpack(kept, 1, math.min(#kept, length)))
  redis.call('RPUSH', key, sentinel)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
end
local pushed = 0
for i = 4, #ARGV do
  local key = 'tl:' .. epoch .. ':' .. ARGV[i]
  local size = redis.call('LPUSHX', key, id)
  if size > 0 then
    pushed = pushed + 1
    if size > trim_at then trim(key) end
  end
end
return pushed
