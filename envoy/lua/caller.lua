-- Says whose limits a request counts against: those of its caller, when the server has accepted its token lately, else those
-- of the address that it comes from. So callers behind one address do not share limits, and a stranger has the limits of
-- the address, whatever the token.
--
-- `bucket` in the metadata krkn.caller names them, for the rate limit and for upload_quota.lua; `token` is the hash of the
-- token, for the reply.
--
-- The first filter, so the last that a reply passes: it also sees to those that are not read (unread.lua).
--
-- Defined by the surrounding script: `known_callers`, `unread`.

local NAMESPACE = "krkn.caller"
local UNAUTHENTICATED = 16
local BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- Returns the eight groups of an IPv6 address.
local function groups(address)
  local list, after = {}, {}
  local head, tail = address:match("^(.-)::(.*)$")
  for group in (head or address):gmatch("[^:]+") do list[#list + 1] = group end
  for group in (tail or ""):gmatch("[^:]+") do after[#after + 1] = group end
  while #list + #after < 8 do list[#list + 1] = "0" end
  for _, group in ipairs(after) do list[#list + 1] = group end
  return list
end

-- Returns an IPv4 address, or the first half of an IPv6 one: the owner of one of its addresses has all with the same half.
local function network(address)
  local ipv6 = address:match("^%[(.*)%]")
  if not ipv6 then return address:match("^[^:]*") end
  local mapped = ipv6:match("^::ffff:(%d+%.%d+%.%d+%.%d+)$")
  return mapped or table.concat(groups(ipv6), ":", 1, 4)
end

function envoy_on_request(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set(NAMESPACE, "bucket", "address " .. network(handle:streamInfo():downstreamRemoteAddress()))
  local token = handle:headers():get("authorization")
  local id = token and known_callers.identity(token)
  if not id then return end
  metadata:set(NAMESPACE, "token", id)
  local name = known_callers.name_of(id)
  if name then metadata:set(NAMESPACE, "bucket", "caller " .. name) end
end

local function noted_as(handle, namespace)
  return handle:streamInfo():dynamicMetadata():get(namespace) or {}
end

-- Gives a refusal of a gRPC-Web call the form of all its replies: HTTP 200, and the code as its status. Envoy's own filter
-- derives the code from the HTTP status, and a client then looks at nothing else. The details begin with the code: bytes
-- 8 and CODE of a google.rpc.Status, of which the second and the third letter of base64 have the latter.
local function as_grpc_web(told)
  local details = told:get("grpc-status-details-bin")
  if told:get(":status") == "200" or not details
      or (told:get("content-type") or ""):sub(1, 20) ~= "application/grpc-web" then return end
  local high, low = BASE64:find(details:sub(2, 2), 1, true), BASE64:find(details:sub(3, 3), 1, true)
  told:replace("grpc-status", tostring(16 * (high - 1) + (low - 1) / 4))
  told:replace(":status", "200")
end

-- call_notes.lua has noted what the server says of the caller, in the trailers if not before.
local function learn(id, noted)
  if noted.grpc_status == UNAUTHENTICATED then
    known_callers.forget(id)
  elseif noted.user then
    known_callers.remember(id, noted.user)
  end
end

function envoy_on_response(handle)
  as_grpc_web(handle:headers())
  local id = noted_as(handle, NAMESPACE).token
  if id and noted_as(handle, "krkn.call").grpc_status then
    learn(id, noted_as(handle, "krkn.call"))
    id = nil
  end
  unread.limit(handle)
  if id then learn(id, noted_as(handle, "krkn.call")) end
end
