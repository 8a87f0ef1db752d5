-- Checks a JSON body or a query against the fields that a call knows.
--
-- The transcoder drops an unknown field, merges one that is given twice, and takes "yes" for true. A
-- misspelt option must not start chaos: here a field must be known, have its type and be given once.
--
-- A field is a table:
--   {name = <JSON name>, proto = <proto name>, type = "string" | "bool" | "int32" | <message>, repeated, map}
-- where a map goes from strings to `type`. A message is {fields, open}; `fields` maps both names of a field to the same
-- table, so that a field given under both is found. An open message, of a body that another program defines, passes
-- over the fields that it does not know.

local MAX_LISTED = 20     -- faults that are listed one by one; the others are counted
local MAX_ENTRIES = 20000 -- fields, map entries and array elements in one body: far more than any call may have
local MAX_FOREIGN = 50000 -- in an open one, without what is passed over: 1,000 alerts of 47 labels
local ALIKE = 4           -- letters that a wrong name shares with the field it was meant to be
local TRUE, FALSE, NULL = 116, 102, 110

local function message_of(list, open)
  local fields = {}
  for _, field in ipairs(list) do
    fields[field.name], fields[field.proto] = field, field
  end
  return {fields = fields, open = open or false}
end

-- The faults found so far, and the path to the reader's position: names, and numbers for array indices.
local function new_faults(most)
  return {total = 0, entries = 0, most = most or MAX_ENTRIES, way = {}, depth = 0}
end

local function enter(faults, step)
  faults.entries = faults.entries + 1
  if faults.entries > faults.most then error({too_many = true}, 0) end
  faults.depth = faults.depth + 1
  faults.way[faults.depth] = step
end

local function leave(faults)
  faults.depth = faults.depth - 1
end

local function path(faults)
  local parts = {}
  for level = 1, faults.depth do
    local step = faults.way[level]
    if type(step) == "number" then
      parts[level] = "[" .. step .. "]"
    else
      parts[level] = level == 1 and step or "." .. step
    end
  end
  return table.concat(parts)
end

-- `description` never holds the value.
local function add(faults, description)
  faults.total = faults.total + 1
  if faults.total <= MAX_LISTED then
    faults[faults.total] = {field = path(faults), description = description}
  end
end

local function letters(name)
  return (string.gsub(name, "[^%w]", "")):lower()
end

-- The field that a wrong name was probably meant to be.
local function meant(message, name)
  local wanted, best = letters(name), nil
  for known, field in pairs(message.fields) do
    local other = letters(known)
    local shared = math.min(#wanted, #other)
    if wanted == other then return field.name end
    if shared >= ALIKE and wanted:sub(1, shared) == other:sub(1, shared) then best = field.name end
  end
  return best
end

local function add_unknown(faults, message, name, what)
  enter(faults, name)
  local guess = faults.total < MAX_LISTED and meant(message, name)
  add(faults, "is not a known " .. what .. (guess and "; did you mean " .. guess .. "?" or ""))
  leave(faults)
end

local function is_int32(text)
  local number = tonumber(text)
  return number and number % 1 == 0 and number >= -2147483648 and number <= 2147483647
end

local read_message

-- Reads one value of a field, which the caller has entered; returns the place after it.
local function read_value(text, b, at, field, faults)
  local kind = field.type
  if type(kind) == "table" then
    if b == json.BRACE then return read_message(text, at, kind, faults) end
    add(faults, "must be an object")
  elseif kind == "string" then
    if b == json.QUOTE then return json.string_end(text, at) + 1 end
    add(faults, "must be a string")
  elseif kind == "bool" then
    if b == TRUE or b == FALSE then return json.scalar_end(text, b, at) end
    add(faults, "must be true or false")
  else
    if json.is_number(b) then
      local after = json.number_end(text, at)
      if is_int32(text:sub(at, after - 1)) then return after end
    end
    add(faults, "must be a whole number of at most 32 bits")
  end
  return json.skip(text, b, at)
end

local function read_array(text, b, at, field, faults)
  if b ~= json.BRACKET then
    add(faults, "must be an array")
    return json.skip(text, b, at)
  end
  local index = 0
  b, at = json.first(text, at, json.CLOSE_BRACKET)
  while b do
    enter(faults, index)
    at = read_value(text, b, at, field, faults)
    leave(faults)
    index = index + 1
    b, at = json.following(text, at, json.CLOSE_BRACKET)
  end
  return at
end

local function read_map(text, b, at, field, faults)
  if b ~= json.BRACE then
    add(faults, "must be an object")
    return json.skip(text, b, at)
  end
  local seen = {}
  b, at = json.first(text, at, json.CLOSE_BRACE)
  while b do
    local key
    key, b, at = json.member(text, b, at)
    enter(faults, key)
    if seen[key] then add(faults, "is given twice") end
    seen[key] = true
    at = read_value(text, b, at, field, faults)
    leave(faults)
    b, at = json.following(text, at, json.CLOSE_BRACE)
  end
  return at
end

local function read_field(text, b, at, field, seen, faults)
  if seen[field] then
    add(faults, "is given twice")
    return json.skip(text, b, at)
  end
  seen[field] = true
  if b == NULL then return json.scalar_end(text, b, at) end  -- the same as left out
  if field.map then return read_map(text, b, at, field, faults) end
  if field.repeated then return read_array(text, b, at, field, faults) end
  return read_value(text, b, at, field, faults)
end

function read_message(text, at, message, faults)
  local seen, b = {}, nil
  b, at = json.first(text, at, json.CLOSE_BRACE)
  while b do
    local name
    name, b, at = json.member(text, b, at)
    local field = message.fields[name]
    if field then
      enter(faults, field.name)
      at = read_field(text, b, at, field, seen, faults)
      leave(faults)
    elseif message.open and name ~= "" then  -- the transcoder would begin the message again
      at = json.skip(text, b, at)
    else
      add_unknown(faults, message, name, "field")
      at = json.skip(text, b, at)
    end
    b, at = json.following(text, at, json.CLOSE_BRACE)
  end
  return at
end

local function read_body(text, message, faults)
  if text:sub(1, 3) == "\239\187\191" then json.not_json(1, "it begins with a byte order mark") end
  local b, at = json.token(text, 1)
  if b == json.BRACE then
    at = read_message(text, at, message, faults)
  else
    at = json.skip(text, b, at)
    add(faults, "must be an object")
  end
  b, at = json.token(text, at)
  if b then json.not_json(at, "something follows the object") end
end

-- Returns the faults of a body: the first ones, each {field, description}, and `total`, their number.
-- Of a body that is not JSON or is not read to its end, that is its only fault.
local function check_body(text, message)
  local faults = new_faults(message.open and MAX_FOREIGN)
  local well_formed, problem = pcall(read_body, text, message, faults)
  if well_formed then return faults end
  if type(problem) ~= "table" then error(problem, 0) end
  local whole = new_faults()
  add(whole, problem.too_many and "has more than " .. faults.most .. " entries"
    or "is not JSON: " .. problem.why .. " (byte " .. problem.at .. ")")
  return whole
end

-- Returns the decoded query value; nil if it is not percent-encoded UTF-8.
local function decoded(value)
  value = value:gsub("%+", " ")
  if value:gsub("%%%x%x", ""):find("%", 1, true) then return nil end
  value = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  return json.is_utf8(value) and value or nil
end

local function check_parameter(faults, field, value)
  value = decoded(value)
  if not value then
    add(faults, "must be percent-encoded UTF-8")
  elseif field.type == "bool" and value ~= "true" and value ~= "false" then
    add(faults, "must be true or false")
  elseif field.type == "int32" and not (value:find("^%-?%d+$") and is_int32(value)) then
    add(faults, "must be a whole number of at most 32 bits")
  end
end

-- Returns the faults of a query, as for a body. Names are not decoded, as in the transcoder. A query cannot have
-- MAX_ENTRIES: headers are bounded.
local function check_query(query, message)
  local faults, seen = new_faults(), {}
  for part in query:gmatch("[^&]+") do
    local name, value = part:match("^([^=]*)=?(.*)$")
    local field = message.fields[name]
    if not field then
      add_unknown(faults, message, name, "query parameter")
    else
      enter(faults, field.name)
      if seen[field] then add(faults, "is given twice") end
      seen[field] = true
      check_parameter(faults, field, value)
      leave(faults)
    end
  end
  return faults
end

return {message = message_of, check_body = check_body, check_query = check_query}
