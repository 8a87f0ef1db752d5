-- The requests of probes: GET /livez, whether Envoy answers; GET /readyz, whether the server serves; and
-- GET /livez/server and /livez/logs, whether that process answers at all. The last three are GetHealth on their ports.
--
-- A probe's own headers are not forwarded: those that gRPC refuses would break the connection for the next probe.

local KEPT = {[":method"] = true, [":path"] = true, [":authority"] = true, [":scheme"] = true,
  ["x-forwarded-proto"] = true}

function envoy_on_request(handle)
  local given = handle:headers()
  local length = given:get("content-length") or "0"
  if given:get(":method") ~= "GET" or length ~= "0" or given:get("transfer-encoding") then
    handle:respond({[":status"] = "405", ["allow"] = "GET"}, "")
  end
  local others = {}
  for name in pairs(given) do
    if not KEPT[name] then others[#others + 1] = name end
  end
  for _, name in ipairs(others) do given:remove(name) end
  given:replace(":authority", "probes")
  local path = given:get(":path")
  if path:find("^/livez/") then given:replace("krkn-probe", "live") end
  if path:find("^/readyz") or path:find("^/livez/") then given:replace(":path", "/api/v1/health") end
end
