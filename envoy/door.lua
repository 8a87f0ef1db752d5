-- What a request must be before it is let through, and the HTTP status of what comes back.
--
-- A REST request must be one that the transcoder knows, in each part of it: the path, the verb, the query, the
-- content type and the body. Whatever the transcoder would pass over in silence is refused here with a reason. A
-- gRPC request goes to the server as it is.
--
-- Given by what surrounds this: `json`, `fields`, `uploads`, `paths` ({path = <pattern>, calls = {<verb> = {query, body, stream}}},
-- `stream` for many JSON objects) and `settings` ({max_body_bytes, local_only}).

local ESCAPED = {['"'] = '\\"', ["\\"] = "\\\\"}
local OWN_HOSTS = {["localhost"] = true, ["127.0.0.1"] = true, ["[::1]"] = true}
local JSON_TYPES = {["application/json"] = true, ["application/json;charset=utf-8"] = true}
local ERROR_INFO = '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_REQUEST",'
  .. '"domain":"krkn.krkn-chaos.dev","metadata":{}}'
-- The headers of a REST request that the server may see. HTTP allows names and values that gRPC does not take, and some
-- names mean something to gRPC: any other header of a caller could fail the call.
local PASSED_ON = {
  [":method"] = true, [":path"] = true, [":authority"] = true, [":scheme"] = true, ["content-type"] = true,
  ["content-length"] = true, ["transfer-encoding"] = true, ["authorization"] = true, ["krkn-revision"] = true,
  ["x-request-id"] = true, ["user-agent"] = true, ["x-forwarded-for"] = true,
  ["x-forwarded-proto"] = true,  -- set by Envoy, which finds no route without it
}
-- What a 401 asks for (RFC 6750, section 3); whoever showed a token is told that it is the token.
local CHALLENGE = 'Bearer realm="krkn-grpc"'
local MAX_SHOWN = 100  -- bytes of a caller's own text, such as a field's name, that a reply repeats

-- A JSON string. What is not UTF-8 is shown as question marks.
local function quoted(text)
  if not json.is_utf8(text) then text = text:gsub("[\128-\255]", "?") end
  return '"' .. text:gsub('[%z\1-\31\127"\\]', function(c)
    return ESCAPED[c] or string.format("\\u%04x", c:byte())
  end) .. '"'
end

local function shown(text)
  if #text <= MAX_SHOWN then return text end
  local cut = MAX_SHOWN
  while cut > MAX_SHOWN - 4 and not json.is_utf8(text:sub(1, cut)) do cut = cut - 1 end
  return text:sub(1, cut) .. "..."
end

-- Ends the request with a reply of our own; it never returns. `reply` tells local_reply_config to leave it as it is.
local function refuse(handle, reason)
  local metadata = handle:streamInfo():dynamicMetadata()
  if reason.grpc then
    metadata:set("krkn.door", "reply", "text")
    handle:respond({[":status"] = reason.status}, reason.message)
  end
  metadata:set("krkn.door", "reply", "json")
  local headers = {[":status"] = reason.status, ["content-type"] = "application/json"}
  headers["allow"], headers["retry-after"] = reason.allow, reason.retry_after
  handle:respond(headers, '{"code":' .. reason.code .. ',"message":' .. quoted(reason.message)
    .. ',"details":[' .. (reason.details or "") .. "]}")
end

local function invalid(message)
  return {status = "400", code = 3, message = message}
end

-- All faults in one reply, in the form of the server's own: the first is the message, each is a field violation.
local function invalid_fields(faults)
  local violations = {}
  for number, fault in ipairs(faults) do
    violations[number] = '{"field":' .. quoted(shown(fault.field)) .. ',"description":'
      .. quoted(fault.description) .. ',"reason":""}'
  end
  local field = faults[1].field == "" and "request body" or shown(faults[1].field)
  local more = faults.total == 1 and "" or " (and " .. faults.total - 1 .. " more, " .. faults.total .. " in all)"
  local reason = invalid(field .. ": " .. faults[1].description .. more)
  reason.details = ERROR_INFO .. ',{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":['
    .. table.concat(violations, ",") .. "]}"
  return reason
end

-- Without authentication, what a web page could make a browser send is refused: it has an Origin, or the name of a
-- host that was made to lead here.
local function stranger(headers)
  if headers:get("origin") then
    return {status = "403", code = 7, message = "Requests of web pages are refused while there is no authentication."}
  end
  local host = (headers:get(":authority") or ""):gsub(":%d+$", ""):lower()
  if not OWN_HOSTS[host] then
    return {status = "403", code = 7, message =
      "Without authentication only the hosts localhost, 127.0.0.1 and [::1] are served."}
  end
end

local function calls_at(path)
  for _, known in ipairs(paths) do
    if path:find(known.path) then return known.calls end
  end
end

local function verbs(calls)
  local list = {}
  for verb in pairs(calls) do list[#list + 1] = verb end
  table.sort(list)
  return table.concat(list, ", ")
end

local function too_large()
  return {status = "413", code = 3, message =
    "The request body is larger than " .. settings.max_body_bytes .. " bytes."}
end

local function too_many_uploads(is_own)
  if is_own then
    return {status = "429", code = 8, retry_after = "1", message =
      "Too many of your requests are on their way at once. Try again in a second."}
  end
  return {status = "503", code = 14, retry_after = "1", message =
    "Too many requests are on their way at once; nothing was done. Try again in a second."}
end

-- The body, when all of it is there; nil and the reason when it may not wait here. Without a length it may be of any
-- size, and over HTTP/2 whether there is one shows only when it comes.
local function whole_body(handle, headers, is_expected)
  local length = tonumber(headers:get("content-length") or "")
  local is_sure = is_expected or length ~= nil or headers:get("transfer-encoding") ~= nil
  local address = handle:streamInfo():downstreamDirectRemoteAddress():gsub(":%d+$", "")
  local room, is_own = uploads.take(address, length or settings.max_body_bytes, not is_sure)
  if not room then return nil, too_many_uploads(is_own) end
  local body = handle:body()
  uploads.give_back(room)
  return body
end

local function not_json_type(headers)
  local kind = (headers:get("content-type") or ""):lower():gsub("%s", ""):gsub('"', "")
  if not JSON_TYPES[kind] then
    return {status = "415", code = 3, message = "The content-type of a request body must be application/json."}
  end
  if (headers:get("content-encoding") or "identity"):lower() ~= "identity" then
    return {status = "415", code = 3, message = "A request body must not have a content-encoding."}
  end
end

-- Why a REST request is refused; nil when it may pass.
local function objection(handle, headers)
  local path, query = (headers:get(":path") or ""):match("^([^?]*)%??(.*)$")
  local calls = calls_at(path)
  if not calls then return {status = "404", code = 5, message = "There is nothing at this path."} end
  local call = calls[headers:get(":method")]
  if not call then
    local allow = verbs(calls)
    return {status = "405", code = 12, message = "This path is for " .. allow .. " only.", allow = allow}
  end
  if call.stream then handle:streamInfo():dynamicMetadata():set("krkn.door", "stream", true) end
  local faults = fields.check_query(query, call.query)
  if faults.total > 0 then return invalid_fields(faults) end

  local wrong_type = not_json_type(headers)
  if call.body and wrong_type then return wrong_type end
  if tonumber(headers:get("content-length") or 0) > settings.max_body_bytes then return too_large() end
  local body, no_room = whole_body(handle, headers, call.body ~= nil)
  if no_room then return no_room end
  local size = body and body:length() or 0
  if size > settings.max_body_bytes then return too_large() end
  if size == 0 then
    return call.body and invalid("The request has no body; it must be a JSON object.") or nil
  end
  if wrong_type then return wrong_type end
  local problem
  faults, problem = fields.check_body(body:getBytes(0, size), call.body or {})
  if not faults then return invalid(problem) end
  if faults.total > 0 then return invalid_fields(faults) end
end

-- Exactly what the transcoder takes for gRPC, or a request could be checked as one thing and handled as the other.
local function is_grpc(headers)
  local kind = headers:get("content-type") or ""
  return kind == "application/grpc" or kind:sub(1, 17) == "application/grpc+"
end

local function keep_known(headers)
  local others = {}
  for name in pairs(headers) do
    if not PASSED_ON[name] then others[#others + 1] = name end
  end
  for _, name in ipairs(others) do headers:remove(name) end
end

local function examine(handle)
  local headers = handle:headers()
  if (headers:get("authorization") or ""):lower():find("^bearer ") then
    handle:streamInfo():dynamicMetadata():set("krkn.door", "token", true)
  end
  -- The transcoder's own marks of a REST request.
  headers:remove("x-envoy-original-path")
  headers:remove("x-envoy-original-method")
  local grpc = is_grpc(headers)
  local reason = settings.local_only and stranger(headers)
  if not reason and not grpc then reason = objection(handle, headers) end
  if reason then
    reason.grpc = grpc
    refuse(handle, reason)
  end
  -- Asked for again: once a body was waited for, the first ones are gone.
  if not grpc then keep_known(handle:headers()) end
end

function envoy_on_request(handle)
  local examined, problem = pcall(examine, handle)
  if not examined then
    -- An error here would let the request pass unchecked.
    handle:logErr("door: " .. tostring(problem))
    refuse(handle, {status = "500", code = 13, message = "The request could not be checked.",
      grpc = is_grpc(handle:headers())})
  end
end

-- The server names the status of a success that is not 200; gRPC has no place for it, nor for what a 401 needs. Of a
-- stream of JSON the transcoder says that it is JSON, but it is many: one a line.
function envoy_on_response(handle)
  local headers = handle:headers()
  local noted = handle:streamInfo():dynamicMetadata():get("krkn.door") or {}
  if headers:get(":status") == "401" then
    headers:replace("www-authenticate", CHALLENGE .. (noted.token and ', error="invalid_token"' or ""))
  end
  if noted.stream and headers:get(":status") == "200"
      and headers:get("content-type") == "application/json" then
    headers:replace("content-type", "application/x-ndjson")
  end
  local status = headers:get("x-http-code")
  if not status then return end
  headers:remove("x-http-code")
  if headers:get(":status") == "200" and headers:get("content-type") == "application/json"
      and status:find("^[2-5]%d%d$") then
    headers:replace(":status", status)
  end
end
