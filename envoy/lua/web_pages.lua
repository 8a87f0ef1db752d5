-- Says which web pages may call a service without authentication.
--
-- Every program of this machine may call it then, and each web page that its user opens can make a browser call it. So
-- a request that a browser sends for a web page is refused, except for our own page, which shows a key with what it
-- writes. A browser says what a request is for in headers that no script can set:
--   Origin          in each request that may change something, and in each of another origin's page that would read;
--   Sec-Fetch-Site  in each request; `same-origin` is our own page, `none` a person's own, such as a bookmark;
--   Host            the name that was made to resolve to this address (DNS rebinding) is not one of ours.
-- Other programs send none of the first two, and need no key.
--
-- Defined by the surrounding script: `web` ({local_only, hosts, origins, own_origins, key}: sets, and a key, which is
-- empty for none).

local FOREIGN = {["cross-site"] = true, ["same-site"] = true}

-- Whether the texts are equal, in a time that does not depend on where they differ.
local function is_same(known, given)
  local difference = #known == #given and 0 or 1
  for at = 1, #known do
    difference = bit.bor(difference, bit.bxor(known:byte(at), given:byte(at) or 0))
  end
  return difference == 0
end

local function shows_key(given)
  local key = (given:get("authorization") or ""):match("^[Bb]earer +([%w_-]+) *$")
  return web.key ~= "" and key ~= nil and is_same(web.key, key)
end

local function foreign_origin()
  return {status = "403", code = 7, reason = "FOREIGN_ORIGIN", message =
    "requests of web pages are refused while there is no authentication"}
end

-- Returns why a request is refused; nil when it may pass. `page`: what is asked for is a page of ours, which holds
-- nothing to protect; its fonts and scripts are asked for without the key, and links elsewhere may lead to it.
local function stranger(given, page)
  if not web.local_only then return nil end
  local authority = (given:get(":authority") or ""):lower()
  if not web.hosts[(authority:gsub(":%d+$", ""))] then
    return {status = "403", code = 7, reason = "FOREIGN_HOST", message =
      "without authentication only the hosts localhost, 127.0.0.1 and [::1] are served"}
  end
  local origin = given:get("origin")
  if not origin then
    if FOREIGN[given:get("sec-fetch-site") or ""] and not page then return foreign_origin() end
    return nil
  end
  if web.origins[origin] then return nil end
  -- The one that was called, not another of ours: localhost is another origin than 127.0.0.1.
  if not web.own_origins[origin] or origin:match("^%a+://(.*)$") ~= authority then return foreign_origin() end
  if page or shows_key(given) then return nil end
  return {status = "401", code = 16, reason = "UNAUTHENTICATED", message =
    "the page needs its key: open it by the address that `make run` printed"}
end

-- Removes the key from a request that may pass: the server has no use for it.
local function forget_key(given)
  if web.local_only then given:remove("authorization") end
end

return {stranger = stranger, forget_key = forget_key}
