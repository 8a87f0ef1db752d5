-- Selects and checks the headers of a request that are forwarded to the server.
--
-- HTTP allows names and values that gRPC refuses, and some names mean something to gRPC: a caller's header could fail
-- the call. All callers share the connections to the server, so it could fail the calls of others as well. Therefore
-- only headers listed here are forwarded, and those that gRPC parses only with values that it cannot refuse.
--
-- Envoy itself takes twice as many and as long ones as are allowed: over HTTP/2 it refuses by a reset without a reason.
--
-- Defined by the surrounding script: `header_limits` ({bytes, count, message} of the headers of a request).

local ENCODINGS = {identity = true, deflate = true, gzip = true}
local ENCODING_NAMES = "identity, deflate, gzip"

-- For REST and gRPC. A header whose value is not text is dropped: none of them may fail a call.
local PASSED_ON = {
  [":method"] = true, [":path"] = true, [":authority"] = true, [":scheme"] = true, ["content-type"] = true,
  ["authorization"] = true, ["x-request-id"] = true, ["user-agent"] = true, ["x-forwarded-for"] = true,
  ["x-forwarded-proto"] = true,  -- set by Envoy, which finds no route without it
  ["traceparent"] = true, ["tracestate"] = true, ["b3"] = true,
}
-- Those that the transcoder reads, and those that gRPC reads.
local OF_REST = {["content-length"] = true, ["transfer-encoding"] = true}
local OF_GRPC = {["te"] = true, ["grpc-timeout"] = true, ["grpc-encoding"] = true, ["grpc-accept-encoding"] = true}

-- The traceparent of a caller who is not trusted, which Envoy has given this name: it is dropped if it is not text.
local OF_CALLER = "krkn-caller-traceparent"

local function is_text(value)
  return not value:find("[^\32-\126]")
end

-- The project's own headers, such as krkn-revision. A name ending in -bin would need base64, and none of them has it.
local function is_own(name)
  return name:find("^krkn%-[a-z0-9.-]+$") and not name:find("%-bin$")
end

-- Returns why the headers of a request are refused, where dropping one would change the call; nil when they are valid.
local function objection(headers, is_grpc)
  local bytes, count = 0, 0
  for name, value in pairs(headers) do
    bytes, count = bytes + #name + #value, count + 1
  end
  if bytes > header_limits.bytes or count > header_limits.count then
    return {status = "431", code = 3, reason = "HEADERS_TOO_LARGE", message = header_limits.message}
  end
  if not is_text(headers:get(":path") or "") or not is_text(headers:get(":authority") or "") then
    return {status = "400", code = 3, reason = "INVALID_REQUEST", message =
      "the path and the host must be printable ASCII"}
  end
  if not is_text(headers:get("authorization") or "") then
    return {status = "401", code = 16, reason = "UNAUTHENTICATED", message =
      "authorization: has characters that no token has"}
  end
  for name, value in pairs(headers) do
    if is_own(name) and name ~= OF_CALLER and not is_text(value) then
      return {status = "400", code = 3, reason = "INVALID_REQUEST", message = name .. ": must be printable ASCII"}
    end
  end
  if not is_grpc then return nil end
  local verb = headers:get(":method")
  if verb ~= "POST" then
    return {code = 12, reason = "METHOD_NOT_ALLOWED", message =
      "gRPC is called with POST, and this is " .. verb .. "; REST has other paths, and the type application/json"}
  end
  if not (headers:get("grpc-timeout") or "1S"):find("^%d+[HMSmun]$") then
    return {code = 3, reason = "INVALID_REQUEST", message =
      "grpc-timeout: must be digits and one of H, M, S, m, u, n"}
  end
  if not ENCODINGS[headers:get("grpc-encoding") or "identity"] then
    return {code = 12, reason = "UNSUPPORTED_ENCODING", message = "grpc-encoding: must be one of " .. ENCODING_NAMES,
      accept_encoding = ENCODING_NAMES:gsub(" ", "")}
  end
end

-- Returns the known encodings of a list; nil when there are none.
local function known_encodings(list)
  local known = {}
  for name in list:gmatch("[^,%s]+") do
    if ENCODINGS[name] and not known[name] then
      known[name] = true
      known[#known + 1] = name
    end
  end
  return known[1] and table.concat(known, ",")
end

-- Removes the headers that are not forwarded.
local function keep_known(headers, is_grpc)
  -- gRPC hides its own header from the server's code, which has to know of a retry.
  if headers:get("grpc-previous-rpc-attempts") then headers:replace("krkn-is-retry", "true") end
  local of_protocol = is_grpc and OF_GRPC or OF_REST
  local others = {}
  for name, value in pairs(headers) do
    local is_known = PASSED_ON[name] or of_protocol[name] or is_own(name)
    if not is_known or not is_text(value) then others[#others + 1] = name end
  end
  for _, name in ipairs(others) do headers:remove(name) end
  if not is_grpc then return end
  headers:replace("content-type", "application/grpc")
  headers:replace("te", "trailers")
  local encodings = headers:get("grpc-accept-encoding")
  if encodings then
    headers:remove("grpc-accept-encoding")
    encodings = known_encodings(encodings)
    if encodings then headers:replace("grpc-accept-encoding", encodings) end
  end
end

-- Removes all trailers: no call has them in its request, and they would be forwarded like headers.
local function drop_trailers(trailers)
  local names = {}
  for name in pairs(trailers) do names[#names + 1] = name end
  for _, name in ipairs(names) do trailers:remove(name) end
end

return {objection = objection, keep_known = keep_known, drop_trailers = drop_trailers}
