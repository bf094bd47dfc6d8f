-- Requests as the gateway sends them to a service: each of a trace of its own, one in EVERY of them sampled.
local every = 100
local number = 0

request = function()
  number = number + 1
  local flag = number % every == 0 and "01" or "00"
  return wrk.format("GET", "/things/7", {
    ["traceparent"] = string.format("00-%032x-%016x-%s", number, number, flag),
    ["x-request-id"] = string.format("%032x", number),
    ["x-deadline-ms"] = "1900",
  })
end

done = function(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format('\n{"requests": %d, "failed": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests, failed, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
