-- What wrk asks, and its result as JSON. Arguments: "-" or a file with one token a line, "-" or the prefix of the idempotency keys of posts.
local tokens, prefix, count, run = {}, nil, 0, 0

function init(arguments)
  if arguments[1] and arguments[1] ~= "-" then
    for line in io.lines(arguments[1]) do tokens[#tokens + 1] = line end
  end
  if arguments[2] and arguments[2] ~= "-" then prefix = arguments[2] end
end

function request()
  count = count + 1
  local headers = {}
  if #tokens > 0 then headers["Authorization"] = "Bearer " .. tokens[count % #tokens + 1] end
  if prefix == nil then return wrk.format("GET", nil, headers) end
  headers["Idempotency-Key"] = prefix .. "-" .. count
  headers["Content-Type"] = "application/json"
  local text = "post " .. count .. " of a benchmark, about as long as tweets are: the median has some sixty characters"
  return wrk.format("POST", nil, headers, '{"text":"' .. text .. '"}')
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\n{"requests":%d,"failed":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f}\n',
    summary.requests, failed, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
