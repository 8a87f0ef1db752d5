-- HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein), as a string of 16 hexadecimal digits: a hash with a key,
-- so that nobody without the key can find two texts with the same hash. The key is random, and known to this worker only.

local band, bor, bxor, lshift, rol, tobit = bit.band, bit.bor, bit.bxor, bit.lshift, bit.rol, bit.tobit

local function rounds(v0, v1, v2, v3, number)
  for _ = 1, number do
    v0 = tobit(v0 + v1); v1 = bxor(rol(v1, 5), v0); v0 = rol(v0, 16)
    v2 = tobit(v2 + v3); v3 = bxor(rol(v3, 8), v2)
    v0 = tobit(v0 + v3); v3 = bxor(rol(v3, 7), v0)
    v2 = tobit(v2 + v1); v1 = bxor(rol(v1, 13), v2); v2 = rol(v2, 16)
  end
  return v0, v1, v2, v3
end

-- Returns the hash of a text; `k0` and `k1` are the halves of the key, 32 bits each.
local function hash(text, k0, k1)
  local v0, v1, v2, v3 = k0, bxor(k1, 0xee), bxor(0x6c796765, k0), bxor(0x74656462, k1)
  local whole = #text - #text % 4
  for at = 1, whole, 4 do
    local a, b, c, d = text:byte(at, at + 3)
    local word = bor(a, lshift(b, 8), lshift(c, 16), lshift(d, 24))
    v0, v1, v2, v3 = rounds(v0, v1, v2, bxor(v3, word), 2)
    v0 = bxor(v0, word)
  end
  local a, b, c = text:byte(whole + 1, #text)
  local word = bor(a or 0, lshift(b or 0, 8), lshift(c or 0, 16), lshift(band(#text, 0xff), 24))
  v0, v1, v2, v3 = rounds(v0, v1, v2, bxor(v3, word), 2)
  v0, v1, v2, v3 = rounds(bxor(v0, word), v1, bxor(v2, 0xee), v3, 4)
  local first = bxor(v1, v3)
  v0, v1, v2, v3 = rounds(v0, bxor(v1, 0xdd), v2, v3, 4)
  return bit.tohex(first) .. bit.tohex(bxor(v1, v3))
end

return hash
