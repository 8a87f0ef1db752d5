-- The callers whose tokens the server has accepted lately, by a hash of the token.
--
-- Only the server's answer puts one in, so made-up tokens take no room. There is room for a number of tokens, and of it one
-- caller has a part: a caller that gets one token of Kubernetes may get thousands. Each worker has a table of its own.
--
-- Defined by the surrounding script: `hash`, `key` (two random numbers of 32 bits) and `known` ({tokens, of_one, seconds,
-- token_bytes}).

-- By the hash of the token: {id, name, ends}; and the same in turn, to find those that ended.
local callers, queue, first, last = {}, {}, 1, 0
local number, number_of = 0, {}

local function drop(caller)
  if callers[caller.id] ~= caller then return end
  callers[caller.id] = nil
  number = number - 1
  local left = number_of[caller.name] - 1
  number_of[caller.name] = left > 0 and left or nil
end

-- Looks at two more of the queue: so all are looked at before as many others have come.
local function forget_ended(now)
  for _ = 1, 2 do
    local caller = queue[first]
    if not caller then return end
    queue[first] = nil
    first = first + 1
    if caller.ends < now then drop(caller) end
    if callers[caller.id] == caller then
      last = last + 1
      queue[last] = caller
    end
  end
end

-- Returns what a token is known by; nil for one that is longer than those of Kubernetes are.
local function identity(token)
  return #token <= known.token_bytes and hash(token, key[1], key[2]) or nil
end

-- Returns the name of the caller with this token; nil when it is not known.
local function name_of(id)
  local caller = callers[id]
  if caller and caller.ends >= os.time() then return caller.name end
end

-- Notes the name that the server gave to the caller with this token.
local function remember(id, name)
  local now = os.time()
  forget_ended(now)
  local caller = callers[id]
  if caller and caller.name == name then
    caller.ends = now + known.seconds
    return
  end
  if caller then drop(caller) end
  if number >= known.tokens or (number_of[name] or 0) >= known.of_one then return end
  callers[id] = {id = id, name = name, ends = now + known.seconds}
  number, number_of[name] = number + 1, (number_of[name] or 0) + 1
  last = last + 1
  queue[last] = callers[id]
end

-- Forgets a token that the server refused.
local function forget(id)
  if callers[id] then drop(callers[id]) end
end

return {identity = identity, name_of = name_of, remember = remember, forget = forget}
