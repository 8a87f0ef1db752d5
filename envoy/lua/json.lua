-- Reads JSON strictly: RFC 8259 in UTF-8 and nothing more, so that every later reader parses it in the same manner.
--
-- There is no tree: each function takes the text and a place and returns the place after what it read. `b` is the
-- byte at the place, nil at the end. Invalid JSON is an error {not_json = true, at, why}; `why` quotes nothing,
-- because a body holds credentials. A body of 2 MiB takes a few milliseconds: one pass, compiled by LuaJIT.
--
-- By hand: lua-cjson is native code, which Envoy cannot load, and pure Lua libraries build a tree and accept too much.

local byte, char, concat, sub = string.byte, string.char, table.concat, string.sub

local MAX_DEPTH = 32
local QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
local BRACE, CLOSE_BRACE, BRACKET, CLOSE_BRACKET = 123, 125, 91, 93
local MINUS, PLUS, POINT, ZERO, NINE, LOWER_E, UPPER_E, LOWER_U = 45, 43, 46, 48, 57, 101, 69, 117
local LITERALS = {[110] = "null", [116] = "true", [102] = "false"}
local ESCAPES = {
  [34] = '"', [92] = "\\", [47] = "/", [98] = "\b", [102] = "\f", [110] = "\n", [114] = "\r", [116] = "\t",
}
local HEX = {}
for digit = 0, 15 do
  HEX[byte(string.format("%x", digit))] = digit
  HEX[byte(string.format("%X", digit))] = digit
end

local function not_json(at, why)
  error({not_json = true, at = at, why = why}, 0)
end

-- The first byte at or after `at` that is not white space, and its place.
local function token(text, at)
  local b = byte(text, at)
  while b == 32 or b == 10 or b == 13 or b == 9 do
    at = at + 1
    b = byte(text, at)
  end
  return b, at
end

-- The place after the multi-byte UTF-8 character at `at`: no overlong form, no surrogate, none above U+10FFFF.
local function after_utf8(text, at)
  local b1, b2 = byte(text, at, at + 1)
  local more, low, high = 0, 0x80, 0xBF
  if b1 >= 0xC2 and b1 <= 0xDF then
    more = 1
  elseif b1 >= 0xE0 and b1 <= 0xEF then
    more = 2
    if b1 == 0xE0 then low = 0xA0 elseif b1 == 0xED then high = 0x9F end
  elseif b1 >= 0xF0 and b1 <= 0xF4 then
    more = 3
    if b1 == 0xF0 then low = 0x90 elseif b1 == 0xF4 then high = 0x8F end
  end
  if more == 0 or not b2 or b2 < low or b2 > high then not_json(at, "it is not UTF-8") end
  for place = at + 2, at + more do
    local b = byte(text, place)
    if not b or b < 0x80 or b > 0xBF then not_json(at, "it is not UTF-8") end
  end
  return at + more + 1
end

local function code_unit(text, at)
  local unit = 0
  for place = at, at + 3 do
    local digit = HEX[byte(text, place)]
    if not digit then not_json(at, "\\u needs four hexadecimal digits") end
    unit = unit * 16 + digit
  end
  return unit
end

-- The code point of the escape whose `u` is at `at`, and the place after it.
local function code_point(text, at)
  local unit = code_unit(text, at + 1)
  if unit < 0xD800 or unit > 0xDFFF then return unit, at + 5 end
  if unit < 0xDC00 and sub(text, at + 5, at + 6) == "\\u" then
    local low = code_unit(text, at + 7)
    if low >= 0xDC00 and low <= 0xDFFF then
      return 0x10000 + (unit - 0xD800) * 0x400 + (low - 0xDC00), at + 11
    end
  end
  not_json(at, "half of a surrogate pair stands alone")
end

local function after_escape(text, at)
  local b = byte(text, at + 1)
  if b == LOWER_U then
    local _, after = code_point(text, at + 1)
    return after
  end
  if not ESCAPES[b] then not_json(at, "there is no such escape") end
  return at + 2
end

-- The place of the quote that ends the string whose first quote is at `at`, and whether it has escapes.
local function string_end(text, at)
  local escaped = false
  at = at + 1
  while true do
    local b = byte(text, at)
    if not b then not_json(at, "a string has no end") end
    if b == QUOTE then return at, escaped end
    if b == BACKSLASH then
      escaped = true
      at = after_escape(text, at)
    elseif b < 32 then
      not_json(at, "a control character stands in a string")
    elseif b < 128 then
      at = at + 1
    else
      at = after_utf8(text, at)
    end
  end
end

local function utf8(point)
  if point < 0x80 then return char(point) end
  local last, rest = 0x80 + point % 64, (point - point % 64) / 64
  if point < 0x800 then return char(0xC0 + rest, last) end
  local third, top = 0x80 + rest % 64, (rest - rest % 64) / 64
  if point < 0x10000 then return char(0xE0 + top, third, last) end
  return char(0xF0 + (top - top % 64) / 64, 0x80 + top % 64, third, last)
end

-- Returns the unescaped content of a string from `at` to `stop`, which was already checked.
local function unescaped(text, at, stop)
  local parts = {}
  while at <= stop do
    local plain = string.find(text, "\\", at, true)
    if not plain or plain > stop then plain = stop + 1 end
    parts[#parts + 1] = sub(text, at, plain - 1)
    at = plain
    if at <= stop then
      local b = byte(text, at + 1)
      if b == LOWER_U then
        local point
        point, at = code_point(text, at + 1)
        parts[#parts + 1] = utf8(point)
      else
        parts[#parts + 1] = ESCAPES[b]
        at = at + 2
      end
    end
  end
  return concat(parts)
end

local function digits_end(text, at)
  local b = byte(text, at)
  if not b or b < ZERO or b > NINE then not_json(at, "a digit was expected") end
  repeat
    at = at + 1
    b = byte(text, at)
  until not b or b < ZERO or b > NINE
  return at, b
end

local function is_number(b)
  return b == MINUS or (b ~= nil and b >= ZERO and b <= NINE)
end

local function number_end(text, at)
  local start = byte(text, at) == MINUS and at + 1 or at
  local b
  at, b = digits_end(text, start)
  if byte(text, start) == ZERO and at > start + 1 then not_json(start, "a number starts with 0") end
  if b == POINT then at, b = digits_end(text, at + 1) end
  if b == LOWER_E or b == UPPER_E then
    b = byte(text, at + 1)
    at = digits_end(text, (b == PLUS or b == MINUS) and at + 2 or at + 1)
  end
  return at
end

-- The place after the string, number, true, false or null at `at`.
local function scalar_end(text, b, at)
  if b == QUOTE then return string_end(text, at) + 1 end
  if is_number(b) then return number_end(text, at) end
  local literal = LITERALS[b]
  if not literal or sub(text, at, at + #literal - 1) ~= literal then not_json(at, "a value was expected") end
  return at + #literal
end

-- The first of the members or elements that the bracket at `at` opens; nil and the place after where there is none.
local function first(text, at, close)
  local b
  b, at = token(text, at + 1)
  if b == close then return nil, at + 1 end
  if not b then not_json(at, "a bracket is not closed") end
  return b, at
end

-- The next one after `at`; nil and the place after `close` where there is none.
local function following(text, at, close)
  local b
  b, at = token(text, at)
  if b == close then return nil, at + 1 end
  if b ~= COMMA then not_json(at, "a comma or a closing bracket was expected") end
  b, at = token(text, at + 1)
  if not b then not_json(at, "a bracket is not closed") end
  return b, at
end

-- The name of the member at `at`, then the first byte of its value and the place of that.
local function member(text, b, at)
  if b ~= QUOTE then not_json(at, "a name in quotes was expected") end
  local stop, escaped = string_end(text, at)
  local name = escaped and unescaped(text, at + 1, stop - 1) or sub(text, at + 1, stop - 1)
  b, at = token(text, stop + 1)
  if b ~= COLON then not_json(at, "a colon was expected") end
  b, at = token(text, at + 1)
  return name, b, at
end

-- The place after any value; only its syntax is checked.
local function skip(text, b, at, depth)
  if b ~= BRACE and b ~= BRACKET then return scalar_end(text, b, at) end
  depth = (depth or 0) + 1
  if depth > MAX_DEPTH then not_json(at, "it nests too deep") end
  local close = b == BRACE and CLOSE_BRACE or CLOSE_BRACKET
  b, at = first(text, at, close)
  while b do
    if close == CLOSE_BRACE then
      local _
      _, b, at = member(text, b, at)
    end
    at = skip(text, b, at, depth)
    b, at = following(text, at, close)
  end
  return at
end

-- Whether a text is UTF-8 throughout.
local function is_utf8(text)
  return (pcall(function()
    local at = 1
    while at <= #text do
      if byte(text, at) < 128 then at = at + 1 else at = after_utf8(text, at) end
    end
  end))
end

return {
  QUOTE = QUOTE, BRACE = BRACE, CLOSE_BRACE = CLOSE_BRACE, BRACKET = BRACKET, CLOSE_BRACKET = CLOSE_BRACKET,
  not_json = not_json, token = token, string_end = string_end, is_number = is_number, number_end = number_end,
  scalar_end = scalar_end, first = first, following = following, member = member, skip = skip, is_utf8 = is_utf8,
}
