-- Push one tweet to many timelines of this cache. KEYS[1] epoch key; ARGV: id, trim_at, length, user...
-- Only lists that exist are pushed to: inactive users cost nothing. A list is sorted, newest first, and holds an id once: what comes late goes
-- to its place, what comes twice changes nothing. Returns how many existed.
local epoch = redis.call('GET', KEYS[1]) or '0'
local id, trim_at, length = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local function newer_than(value)
  return value == '0' or value == 'b' or #id > #value or (#id == #value and id > value)
end
local function insert(key)
  for _, value in ipairs(redis.call('LRANGE', key, 0, -1)) do
    if value == id then return 0 end
    if newer_than(value) then return redis.call('LINSERT', key, 'BEFORE', value, id) end
  end
end
local function trim(key)
  local sentinel = redis.call('RPOP', key)
  redis.call('LTRIM', key, 0, length - 1)
  redis.call('RPUSH', key, sentinel)
end
local existed = 0
for i = 4, #ARGV do
  local key = 'tl:' .. epoch .. ':' .. ARGV[i]
  local head = redis.call('LINDEX', key, 0)
  if head then
    existed = existed + 1
    local size = newer_than(head) and redis.call('LPUSH', key, id) or insert(key)
    if size > trim_at then trim(key) end
  end
end
return existed
