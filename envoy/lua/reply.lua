-- Replies to refused requests: JSON in the form of the server's own errors, or a gRPC status.
--
-- A reason is {code, message, status, details, allow, retry_after, accept_encoding}: `code` the gRPC number, `status`
-- the HTTP one of a REST reply. Defined by the surrounding script: `json`.

local ESCAPED = {['"'] = '\\"', ["\\"] = "\\\\"}
local ERROR_INFO = '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INVALID_REQUEST",'
  .. '"domain":"krkn.krkn-chaos.dev","metadata":{}}'
-- For gRPC-Web, Envoy derives the gRPC status of a refusal from the HTTP one; a code without one here becomes UNKNOWN.
local HTTP_OF = {[7] = "403", [8] = "429", [12] = "404", [14] = "503", [16] = "401"}
local MAX_SHOWN = 100  -- bytes of a caller's own text, such as a field's name, that a reply repeats

-- Returns a JSON string. If the text is not UTF-8, its non-ASCII bytes become question marks.
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

-- Ends the request with a reply; never returns. The metadata `reply` makes local_reply_config leave it unchanged.
local function refuse(handle, reason, is_grpc)
  local metadata = handle:streamInfo():dynamicMetadata()
  if is_grpc then
    metadata:set("krkn.request_filter", "reply", "text")
    handle:respond({[":status"] = HTTP_OF[reason.code] or "200", ["grpc-status"] = tostring(reason.code),
      ["retry-after"] = reason.retry_after, ["grpc-accept-encoding"] = reason.accept_encoding}, reason.message)
  end
  metadata:set("krkn.request_filter", "reply", "json")
  handle:respond({[":status"] = reason.status, ["content-type"] = "application/json", ["allow"] = reason.allow,
    ["retry-after"] = reason.retry_after}, '{"code":' .. reason.code .. ',"message":' .. quoted(reason.message)
    .. ',"details":[' .. (reason.details or "") .. "]}")
end

local function invalid(message)
  return {status = "400", code = 3, message = message}
end

-- Returns all faults as one reply, in the server's own form: the first is the message, each is a field violation.
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

return {refuse = refuse, invalid = invalid, invalid_fields = invalid_fields}
