-- Push one tweet to many timelines of this cache. KEYS[1] epoch key; ARGV: id, attempt, trim_at, length, users as a JSON array. Returns how many
-- of the lists existed: only these are pushed to, so inactive users cost nothing. A list is sorted, newest first, and holds an id once: what
-- comes late goes to its place, what comes twice changes nothing. An attempt is a name for one way through all followers, each once;
-- '' may repeat something. `newest` is the newest id that any list of this cache holds, and which attempt pushed it.
local call = redis.call
local known = call('MGET', KEYS[1], 'newest')
local id, attempt, trim_at, length = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local prefix = 'tl:' .. (known[1] or '0') .. ':'
local newest, pushed_by = string.match(known[2] or '0 ', '^(%d+) (.*)$')
local function newer(value, other) return #value > #other or (#value == #other and value > other) end
local function insert(key)  -- its place is near the head, and a whole list takes 60 us to look through
  local from, count = 0, 8
  while true do
    local values = call('LRANGE', key, from, from + count - 1)
    for _, value in ipairs(values) do
      if value == id then return length end
      if newer(id, value) then return call('LINSERT', key, 'BEFORE', value, id) end
    end
    if #values < count then return 0 end
    from, count = from + count, count * 4
  end
end
local function place(key)
  local head = call('LINDEX', key, 0)
  if not head then return 0 end
  return newer(id, head) and call('LPUSH', key, id) or insert(key)
end
local function trim(key)
  local sentinel = call('RPOP', key)
  call('LTRIM', key, 0, length - 1)
  call('RPUSH', key, sentinel)
end
-- No list holds this id or a newer one, so each takes it at its head unseen: one call a list instead of two.
local ahead = newer(id, newest) or (id == newest and attempt ~= '' and attempt == pushed_by)
local existed = 0
for user in string.gmatch(ARGV[5], '%d+') do
  local key = prefix .. user
  local size
  if ahead then size = call('LPUSHX', key, id) else size = place(key) end
  if size > 0 then
    existed = existed + 1
    if size > trim_at then trim(key) end
  end
end
if newer(id, newest) then call('SET', 'newest', id .. ' ' .. attempt) end
return existed
