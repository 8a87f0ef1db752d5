-- Notes what the server says of a call, for the access log: the gRPC status, and the name of an authenticated caller.
--
-- The filter is the one next to the server: the transcoder removes the status from the reply, so an access log that looks
-- for it later finds none and derives one from the HTTP status, where 200 becomes "unknown". The name is for the access
-- log only: it is removed, and no caller receives it. The server escapes and bounds it.

local NAMESPACE = "krkn.call"

-- Headers, or trailers: a reply without a message has all in its headers.
local function note(handle, given)
  local noted = handle:streamInfo():dynamicMetadata()
  local status = tonumber(given:get("grpc-status") or "")
  if status then noted:set(NAMESPACE, "grpc_status", status) end
  local user = given:get("krkn-user")
  if user then
    noted:set(NAMESPACE, "user", user)
    given:remove("krkn-user")
  end
end

function envoy_on_response(handle)
  note(handle, handle:headers())
  -- Messages pass meanwhile.
  local trailers = handle:trailers()
  if trailers then note(handle, trailers) end
end
