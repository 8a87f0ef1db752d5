-- Limits the memory of requests that have not arrived completely.
--
-- The body of a REST request waits in Envoy until it is complete, and only then is its caller authenticated. So all of
-- them have a limit, and one caller or address (caller.lua) has a share of it: a request above either is refused before its
-- body arrives. A gRPC request goes to the server as it arrives. It counts for its own share only: Envoy holds 64 KiB of it
-- at most, and `circuit_breakers` limits the number of them. Each worker counts by itself.
--
-- Defined by the surrounding script: `limits` ({all, one_share, seconds}: bytes, and the time limit of a body).

local STREAM = 32 * 1024  -- bytes that a request in transit holds besides its body

local held, of_bucket = 0, {}
-- Uploads in transit, oldest first: {bucket, bytes, ends}. A disconnected caller gives nothing back, so all expire.
local waiting, first, last = {}, 1, 0

local function charge(upload, bytes)
  local of_this = (of_bucket[upload.bucket] or 0) + bytes
  of_bucket[upload.bucket] = of_this > 0 and of_this or nil
  if upload.waits_here then held = held + bytes end
end

local function give_back(upload)
  if not upload.bytes then return end
  charge(upload, -upload.bytes)
  upload.bytes = nil
end

-- Adds bytes that arrived beyond the reserved quota.
local function add(upload, bytes)
  if not upload.bytes then return end
  upload.bytes = upload.bytes + bytes
  charge(upload, bytes)
end

local function forget_ended()
  local now = os.time()
  while first <= last and (not waiting[first].bytes or waiting[first].ends < now) do
    give_back(waiting[first])
    waiting[first] = nil
    first = first + 1
  end
end

-- Reserves quota for a body of so many bytes, to be given back when it has arrived; else returns nil, and whether its
-- bucket holds too much. A body that `waits_here` counts in the total; one that `may_be_none` is refused only because
-- of its own bucket.
local function take(bucket, bytes, waits_here, may_be_none)
  forget_ended()
  bytes = bytes + STREAM
  if (of_bucket[bucket] or 0) + bytes > limits.one_share then return nil, true end
  if waits_here and not may_be_none and held + bytes > limits.all then return nil, false end
  local upload = {bucket = bucket, bytes = bytes, waits_here = waits_here, ends = os.time() + limits.seconds + 1}
  charge(upload, bytes)
  last = last + 1
  waiting[last] = upload
  return upload
end

return {take = take, add = add, give_back = give_back}
