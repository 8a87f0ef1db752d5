-- Limits the memory of the replies that Envoy gives by itself: the page, its files, and the documents.
--
-- Such a reply is in memory as a whole until its caller has read it, and nothing says when that is. So what is given out
-- in a period counts as held for the period: of one caller or address (caller.lua), and of all. The overload manager
-- alone would be too late, because a worker answers thousands of requests before it hears of it. Each worker counts by
-- itself.
--
-- Defined by the surrounding script: `page_limits` ({all, one_share, seconds}: bytes in so many seconds).

local all, of_bucket, ends = 0, {}, 0

-- Whether a caller takes gzip, said in the plain way of browsers. The routes know more ways: those are charged for more
-- than they get.
local function takes_gzip(given)
  for name in (given:get("accept-encoding") or ""):lower():gmatch("[^,]+") do
    if name:match("^%s*(.-)%s*$") == "gzip" then return true end
  end
  return false
end

-- Charges the reply for a page of {whole, gzipped} bytes; returns whether there was quota for it, and if there was none,
-- whether the bucket has used up its own.
local function take(bucket, page, given)
  local now = os.time()
  if now >= ends then all, of_bucket, ends = 0, {}, now + page_limits.seconds end
  local bytes = takes_gzip(given) and page.gzipped or page.whole
  local of_this = (of_bucket[bucket] or 0) + bytes
  if of_this > page_limits.one_share then return false, true end
  if all + bytes > page_limits.all then return false, false end
  all, of_bucket[bucket] = all + bytes, of_this
  return true
end

return {take = take}
