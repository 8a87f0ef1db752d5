-- Checks each request before it is forwarded, and sets the HTTP status of its reply.
--
-- A REST request must be known to the transcoder in each of its parts: the path, the verb, the query, the content type
-- and the body. Parts that the transcoder would silently ignore are refused here with a reason. A gRPC request must
-- call an existing method, and its message goes to the server as it is. For both, only headers that cannot harm other
-- callers are forwarded.
--
-- Defined by the surrounding script: `json`, `body_schema`, `reply`, `headers`, `mesh`, `upload_quota`, `page_quota`,
-- `methods` ({<path> = "open" for a method that needs no token, else "guarded"}), `paths` ({path = <pattern>, calls =
-- {<verb> = {query, body, most_bytes, may_be_empty, stream}}}, `most_bytes` for a body with a bound of its own,
-- `may_be_empty` for one that may be left out, `stream` for many JSON objects), `pages` ({<path> = {whole, gzipped}}: the
-- bytes of those that Envoy answers by itself), `web_pages` (which web pages may call) and `settings` ({max_body_bytes,
-- max_open_bytes, no_page, mesh}).

-- The body of a call that has none: each field in it is one that is not known.
local NO_FIELDS = body_schema.message({})
-- Of a path that Envoy answers by itself.
local PAGE = {GET = {query = NO_FIELDS}}
-- The challenge of a 401 (RFC 6750, section 3); for a caller that sent a token, it also says that the token is invalid.
local CHALLENGE = 'Bearer realm="krkn-grpc"'

local function calls_at(path)
  if pages[path] then return PAGE end
  for _, known in ipairs(paths) do
    if path:find(known.path) then return known.calls end
  end
end

local function verbs(calls)
  local list = {}
  for verb in pairs(calls) do list[#list + 1] = verb end
  if calls.GET then list[#list + 1] = "HEAD" end
  table.sort(list)
  return table.concat(list, ", ")
end

local function too_large(most)
  return reply.invalid_field("", "is larger than " .. most .. " bytes", "413", "REQUEST_TOO_LARGE")
end

local function too_many_uploads(is_own)
  if is_own then
    return {status = "429", code = 8, reason = "TOO_MANY_CALLS", retry_after = "1", message =
      "too many of your requests are on their way at once; try again in a second"}
  end
  return {status = "503", code = 14, reason = "OVERLOADED", retry_after = "1", message =
    "too many requests are on their way at once; nothing was done; try again in a second"}
end

local function too_many_pages(is_own)
  local whose = is_own and "has been asked for too often by you" or "is asked for too often"
  return {status = is_own and "429" or "503", code = is_own and 8 or 14, reason = is_own and "TOO_MANY_CALLS" or
    "OVERLOADED", retry_after = tostring(page_limits.seconds), message = "this page " .. whose .. "; try again in "
    .. page_limits.seconds .. " seconds"}
end

local function bucket_of(handle)
  return handle:streamInfo():dynamicMetadata():get("krkn.caller").bucket
end

-- Reserves quota for a body; returns it, else nil and the reason.
local function room_for(handle, bytes, waits_here, may_be_none)
  local room, is_own = upload_quota.take(bucket_of(handle), bytes, waits_here, may_be_none)
  if not room then return nil, too_many_uploads(is_own) end
  return room
end

-- Returns the body once it is complete; nil and the reason when there is no quota for it. Without a length it may be of
-- any size, and over HTTP/2 only its arrival shows whether there is one.
local function whole_body(handle, given, is_expected)
  local length = tonumber(given:get("content-length") or "")
  local is_sure = is_expected or length ~= nil or given:get("transfer-encoding") ~= nil
  local room, reason = room_for(handle, length or settings.max_body_bytes, true, not is_sure)
  if not room then return nil, reason end
  local body = handle:body()
  upload_quota.give_back(room)
  return body
end

local function unsupported(header, description)
  return {status = "415", code = 3, reason = "UNSUPPORTED_MEDIA_TYPE", message = header .. ": " .. description}
end

-- Parameters mean nothing for JSON (RFC 8259, section 11), and some clients send them.
local function not_json_type(given)
  local kind = (given:get("content-type") or ""):match("^[^;]*"):gsub("%s+$", ""):lower()
  if kind ~= "application/json" then
    return unsupported("content-type", "must be application/json for a request body")
  end
  if (given:get("content-encoding") or "identity"):lower() ~= "identity" then
    return unsupported("content-encoding", "must not be given")
  end
end

-- Returns why a REST request is refused; nil when it may pass.
local function objection(handle, given)
  local path, query = (given:get(":path") or ""):match("^([^?]*)%??(.*)$")
  local calls = calls_at(path)
  if not calls then
    local why = path == "/" and settings.no_page ~= "" and "; " .. settings.no_page or ""
    return {status = "404", code = 5, reason = "NO_SUCH_PATH", message = "there is nothing at this path" .. why}
  end
  -- The routes would take it for gRPC.
  if (given:get("content-type") or ""):sub(1, 16) == "application/grpc" then
    return unsupported("content-type", "is neither JSON nor a kind of gRPC")
  end
  local is_head = given:get(":method") == "HEAD"
  local call = calls[is_head and "GET" or given:get(":method")]
  if not call then
    local allow = verbs(calls)
    return {status = "405", code = 12, reason = "METHOD_NOT_ALLOWED", message = "this path is for " .. allow .. " only",
      allow = allow}
  end
  local metadata = handle:streamInfo():dynamicMetadata()
  if call.stream then metadata:set("krkn.request_filter", "stream", true) end
  if is_head then metadata:set("krkn.request_filter", "head", true) end
  local faults = body_schema.check_query(query, call.query)
  if faults.total > 0 then return reply.invalid(faults) end

  local takes_none = not call.body and given:get(":method") == "POST"
  local wrong_type = not_json_type(given)
  local needs_body = call.body ~= nil and not call.may_be_empty
  if needs_body and wrong_type then return wrong_type end
  local most = call.most_bytes or settings.max_body_bytes
  if tonumber(given:get("content-length") or 0) > most then return too_large(most) end
  local body, no_room = whole_body(handle, given, needs_body)
  if no_room then return no_room end
  local size = body and body:length() or 0
  if size > most then return too_large(most) end
  if size == 0 then
    if needs_body then return reply.invalid_field("", "is required, a JSON object") end
    if not pages[path] then return nil end
    local has_quota, is_own = page_quota.take(bucket_of(handle), pages[path], given)
    return not has_quota and too_many_pages(is_own) or nil
  end
  if takes_none then return reply.invalid_field("", "must be empty for this call") end
  if wrong_type then return wrong_type end
  faults = body_schema.check_body(body:getBytes(0, size), call.body or NO_FIELDS)
  if faults.total > 0 then return reply.invalid(faults) end
end

-- Exactly the transcoder's rule for gRPC, or a request could be checked as one protocol and handled as the other.
local function is_grpc(given)
  local kind = given:get("content-type") or ""
  return kind == "application/grpc" or kind:sub(1, 17) == "application/grpc+"
end

-- Returns why a gRPC request is refused; nil and its quota when it may pass. A request that needs no token waits here
-- until it is complete: the server holds nothing for unknown callers.
local function grpc_objection(handle, given)
  local method = methods[given:get(":path")]
  if not method then return {code = 12, reason = "NO_SUCH_METHOD", message = "there is no such method"} end
  local is_open = method == "open"
  local room, reason = room_for(handle, is_open and settings.max_open_bytes or 0, is_open, is_open)
  if reason or not is_open then return reason, room end
  local body = handle:body()
  upload_quota.give_back(room)
  if body and body:length() > settings.max_open_bytes then
    return {code = 8, reason = "REQUEST_TOO_LARGE", message =
      "the request is larger than " .. settings.max_open_bytes .. " bytes"}
  end
end

-- Counts the bytes of a gRPC request as they pass, until it is complete.
local function count(handle, room)
  for chunk in handle:bodyChunks() do upload_quota.add(room, chunk:length()) end
  upload_quota.give_back(room)
end

-- Forwards the request, or ends it. Returns the quota of a gRPC request that has not arrived yet.
local function examine(handle, grpc)
  local given = handle:headers()
  if (given:get("authorization") or ""):lower():find("^bearer ") then
    handle:streamInfo():dynamicMetadata():set("krkn.request_filter", "token", true)
  end
  -- The transcoder itself marks a REST request with these.
  given:remove("x-envoy-original-path")
  given:remove("x-envoy-original-method")
  -- These are ours to set, below and in headers.lua.
  given:remove("krkn-rest")
  given:remove("krkn-is-retry")
  mesh.name_caller(handle, given, settings.mesh)
  local page = not grpc and pages[(given:get(":path") or ""):match("^[^?]*")]
  local reason, room = web_pages.stranger(given, page) or headers.objection(given, grpc), nil
  if not reason then
    if grpc then reason, room = grpc_objection(handle, given) else reason = objection(handle, given) end
  end
  if reason then reply.refuse(handle, reason, grpc) end
  -- Read again: after waiting for a body, the first headers object is no longer valid.
  given = handle:headers()
  -- The route of a page is chosen by headers that no call has, and nothing is forwarded.
  if not page then headers.keep_known(given, grpc) end
  web_pages.forget_key(given)
  if not grpc then
    -- The reply to HEAD is that to GET, without its body; for a stream the server sends only the beginning.
    local verb = given:get(":method")
    given:replace("krkn-rest", verb)
    if verb == "HEAD" then given:replace(":method", "GET") end
  end
  return room
end

function envoy_on_request(handle)
  local grpc = is_grpc(handle:headers())
  local examined, room = pcall(examine, handle, grpc)
  if not examined then
    -- An error here would let the request pass unchecked.
    handle:logErr("request filter: " .. tostring(room))
    local objection = {status = "500", code = 13, reason = "INTERNAL", message = "the request could not be checked"}
    reply.refuse(handle, objection, grpc)
  end
  if room then count(handle, room) end
  local trailers = handle:trailers()
  if trailers then headers.drop_trailers(trailers) end
end

-- The server sends the status of a success that is not 200, and the 409 of a failed precondition, in a header; gRPC has
-- no field for it, nor for the challenge of a 401. The transcoder labels a stream of JSON objects as JSON, but it has one
-- object per line.
function envoy_on_response(handle)
  local told = handle:headers()
  local noted = handle:streamInfo():dynamicMetadata():get("krkn.request_filter") or {}
  if told:get(":status") == "401" then
    told:replace("www-authenticate", CHALLENGE .. (noted.token and ', error="invalid_token"' or ""))
  end
  if noted.stream and told:get(":status") == "200"
      and told:get("content-type") == "application/json" then
    told:replace("content-type", "application/x-ndjson")
  end
  local status = told:get("x-http-code")
  told:remove("x-http-code")
  local mapped = told:get(":status")
  if status and told:get("content-type") == "application/json"
      and (mapped == "200" and status:find("^[2-5]%d%d$") or mapped == "400" and status == "409") then
    told:replace(":status", status)
  end
  if noted.head then
    for chunk in handle:bodyChunks() do chunk:setBytes("") end
  end
end
