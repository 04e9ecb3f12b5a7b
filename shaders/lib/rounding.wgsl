// Rounding to nearest even of a sign, an exponent and a 27-bit significand: 24 bits, guard, round and sticky.

// Shifts right, or-ing what falls off into the lowest bit; m is below 2^31.
fn shift_sticky(m: u32, by: u32) -> u32 {
  let far = min(by, 31u);
  return (m >> far) | select(0u, 1u, ((m << 1u) << (31u - far)) != 0u);
}

// `exponent` is biased and at least 1; m has its highest bit at bit 26, or anywhere below where the exponent is 1.
fn pack_rounded(sign: u32, exponent: u32, m: u32) -> u32 {
  let s = m >> 3u;
  // Up where more than half is lost, or just half of an odd one.
  let rounded = s + select(0u, 1u, (m & 7u) + (s & 1u) > 4u);
  // The leading bit counts one exponent, and so does a carry; past the largest it is an infinity.
  return sign | min(((exponent - 1u) << 23u) + rounded, INFINITY);
}

// The same for any exponent up to 511, with m's highest bit at bit 26.
fn round_pack(sign: u32, exponent: i32, m: u32) -> u32 {
  return pack_rounded(sign, u32(max(exponent, 1)), shift_sticky(m, u32(max(1 - exponent, 0))));
}
