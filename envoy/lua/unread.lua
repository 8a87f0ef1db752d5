-- Lets Envoy give up a reply that its caller does not read.
--
-- Over HTTP/2, Envoy gives the rest of a reply a time when its end comes, and forgets to if the end is trailers with
-- nothing in them. The replies of the server end so once gRPC's own trailers are gone, as JSON and as gRPC-Web. A caller
-- who reads none of them would hold their memory for as long as the connection lasts.

local COMPLETE = "krkn-complete"

local function is_empty(trailers)
  for _ in pairs(trailers) do return false end
  return true
end

-- Waits for the trailers of a reply, while its body passes, and puts one into those that have none.
local function limit(handle)
  local trailers = handle:trailers()
  if trailers and is_empty(trailers) then trailers:add(COMPLETE, "true") end
end

return {limit = limit}
