-- For wrk: posts the lines of a file in turn, and prints its figures as one line of JSON.
local bodies, place = {}, 0

function init(arguments)
   wrk.method = "POST"
   wrk.headers["Content-Type"] = "application/json"
   for line in io.lines(arguments[1]) do
      bodies[#bodies + 1] = wrk.format(nil, nil, nil, line)
   end
end

function request()
   place = place % #bodies + 1
   return bodies[place]
end

function done(summary, latency)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
   local figures = '{"requests": %d, "seconds": %.6f, "errors": %d, "p50": %.3f, "p99": %.3f}\n'
   local half, most = latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
   io.write(figures:format(summary.requests, summary.duration / 1e6, failed, half, most))
end
