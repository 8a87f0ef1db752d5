-- Replies to refused requests: JSON in the form of the server's own errors, or a gRPC status.
--
-- An objection is {code, reason, message, status, violations, allow, retry_after, accept_encoding}: `code` the gRPC
-- number, `reason` that of the ErrorInfo; of a REST reply `status` is the HTTP status, and `violations` the content of its
-- BadRequest. Defined by the surrounding script: `json`.

local ESCAPED = {['"'] = '\\"', ["\\"] = "\\\\"}
local TYPES = "type.googleapis.com/google.rpc."
local DETAIL = '{"@type":"' .. TYPES
local DOMAIN = "krkn.krkn-chaos.dev"
-- Of a gRPC refusal, for which Envoy makes it 200; by it caller.lua knows one for gRPC-Web.
local NOT_200 = "400"
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

-- Returns the details of a REST reply, as the server has them.
local function details_of(objection)
  local details = {DETAIL .. 'ErrorInfo","reason":"' .. objection.reason
    .. '","domain":"' .. DOMAIN .. '","metadata":{}}'}
  if objection.violations then
    details[#details + 1] = DETAIL .. 'BadRequest","fieldViolations":[' .. objection.violations .. "]}"
  end
  if objection.retry_after then
    details[#details + 1] = DETAIL .. 'RetryInfo","retryDelay":"' .. objection.retry_after .. 's"}'
  end
  return table.concat(details, ",")
end

-- Returns a field of a protobuf message: a number, which is less than 128, or text.
local function field(number, value)
  if type(value) == "number" then return string.char(8 * number, value) end
  local size, length = #value, ""
  while size >= 128 do
    length, size = length .. string.char(128 + size % 128), math.floor(size / 128)
  end
  return string.char(8 * number + 2) .. length .. string.char(size) .. value
end

local function any(name, message)
  return field(1, TYPES .. name) .. field(2, message)
end

-- Returns the details of a gRPC reply, a google.rpc.Status, as the server has them.
local function status_of(objection)
  local info = field(1, objection.reason) .. field(2, DOMAIN)
  local status = field(1, objection.code) .. field(2, objection.message) .. field(3, any("ErrorInfo", info))
  if not objection.retry_after then return status end
  local delay = field(1, field(1, tonumber(objection.retry_after)))
  return status .. field(3, any("RetryInfo", delay))
end

-- Ends the request with a reply; never returns. The metadata `reply` makes local_reply_config leave it unchanged.
local function refuse(handle, objection, is_grpc)
  local metadata = handle:streamInfo():dynamicMetadata()
  if is_grpc then
    metadata:set("krkn.request_filter", "reply", "text")
    handle:respond({[":status"] = NOT_200, ["grpc-status"] = tostring(objection.code),
      -- gRPC writes base64 without its padding.
      ["grpc-status-details-bin"] = (handle:base64Escape(status_of(objection)):gsub("=", "")),
      ["retry-after"] = objection.retry_after, ["grpc-accept-encoding"] = objection.accept_encoding}, objection.message)
  end
  metadata:set("krkn.request_filter", "reply", "json")
  handle:respond({[":status"] = objection.status, ["content-type"] = "application/json", ["allow"] = objection.allow,
    ["retry-after"] = objection.retry_after}, '{"code":' .. objection.code .. ',"message":' .. quoted(objection.message)
    .. ',"details":[' .. details_of(objection) .. "]}")
end

-- Returns all faults as one reply, in the server's own form: the first is the message, each is a field violation.
-- `status` and `reason` are those of a request that breaks its rules unless given.
local function invalid(faults, status, reason)
  local violations = {}
  for number, fault in ipairs(faults) do
    violations[number] = '{"field":' .. quoted(shown(fault.field)) .. ',"description":'
      .. quoted(fault.description) .. ',"reason":""}'
  end
  local field = faults[1].field == "" and "request body" or shown(faults[1].field)
  local more = faults.total == 1 and "" or " (and " .. faults.total - 1 .. " more, " .. faults.total .. " in all)"
  return {status = status or "400", code = 3, reason = reason or "INVALID_REQUEST",
    message = field .. ": " .. faults[1].description .. more, violations = table.concat(violations, ",")}
end

-- The same for one field; "" is the body as a whole.
local function invalid_field(field, description, status, reason)
  return invalid({{field = field, description = description}, total = 1}, status, reason)
end

return {refuse = refuse, invalid = invalid, invalid_field = invalid_field}
