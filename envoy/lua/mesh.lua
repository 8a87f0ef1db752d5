-- Who a caller is in a service mesh, as the mesh's proxy beside this Envoy tells: for the logs, and for nothing else.
--
-- That proxy has checked the caller's certificate, and appends what it saw to x-forwarded-client-cert. What stands before
-- it came from the caller. The proxy calls from an address that no other machine can have.

local PROXIES = {["127.0.0.6"] = true, ["[::6]"] = true}
local TOLD, CALLER = "x-forwarded-client-cert", "krkn-mesh-caller"
local LONGEST = 512

-- Replaces the header of the proxy by one with the identity alone; removes both from all other requests.
local function name_caller(handle, given, is_mesh)
  local told = given:get(TOLD)
  given:remove(TOLD)
  given:remove(CALLER)
  if not (is_mesh and told) then return end
  local info = handle:streamInfo()
  local peer = info:downstreamDirectRemoteAddress():gsub(":%d+$", "")
  if not PROXIES[peer] then return end
  -- The proxy's element is the last one, and the identity ends it.
  local identity = told:match(";URI=(spiffe://[%w._/-]+)$")
  if not identity or #identity > LONGEST then return end
  given:replace(CALLER, identity)
  info:dynamicMetadata():set("krkn.request_filter", "mesh_caller", identity)
end

return {name_caller = name_caller}
