-- Sends prepared requests in turn and prints the figures as JSON.
-- Arguments: path of a file with one request a line: body, tab, header value; name of that header; fixed header lines "Name: value".
function init(args)
  requests = {}
  local fixed = {}
  for i = 3, #args do
    local name, value = args[i]:match("^([^:]+): (.*)$")
    fixed[name] = value
  end
  for line in io.lines(args[1]) do
    local body, value = line:match("^(.-)\t(.*)$")
    local headers = {}
    for name, text in pairs(fixed) do headers[name] = text end
    if value ~= "" then headers[args[2]] = value end
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
  next_request = 0
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
