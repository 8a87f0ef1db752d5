-- How much memory requests may hold that have not arrived as a whole.
--
-- A body waits in Envoy until it is whole, and only then is its caller asked who they are. So nobody may make many of
-- them wait: what one address may hold is a share of what all may, and who holds more is refused before the body comes.
-- Each worker counts by itself.
--
-- Given by what surrounds this: `limits` ({all, one_address, seconds}: bytes, and how long a body may take).

local STREAM = 32 * 1024  -- bytes that a request holds while it waits, besides its body

local held, of_address = 0, {}
-- Those that wait, oldest first: {address, bytes, ends}. A caller that hangs up gives nothing back, so all end in time.
local waiting, first, last = {}, 1, 0

local function give_back(upload)
  if not upload.bytes then return end
  held = held - upload.bytes
  local left = of_address[upload.address] - upload.bytes
  of_address[upload.address] = left > 0 and left or nil
  upload.bytes = nil
end

local function forget_ended()
  local now = os.time()
  while first <= last and (not waiting[first].bytes or waiting[first].ends < now) do
    give_back(waiting[first])
    waiting[first] = nil
    first = first + 1
  end
end

-- Room for a body of so many bytes, to be given back when it is there; else nil, and whether it is this address that
-- holds too much. What `may_be_none` is refused only for what its own address holds.
local function take(address, bytes, may_be_none)
  forget_ended()
  bytes = bytes + STREAM
  local own = (of_address[address] or 0) + bytes
  if own > limits.one_address then return nil, true end
  if held + bytes > limits.all and not may_be_none then return nil, false end
  local upload = {address = address, bytes = bytes, ends = os.time() + limits.seconds + 1}
  held, of_address[address] = held + bytes, own
  last = last + 1
  waiting[last] = upload
  return upload
end

return {take = take, give_back = give_back}
