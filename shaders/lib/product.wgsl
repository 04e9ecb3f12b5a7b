// trunc(s * n) as float64 has it, on integers: the product of s's 53-bit significand and n, rounded to 53 bits, truncated.

// s: f64 bits, 0 <= s <= 1. n: any.
fn truncated_product(low: u32, high: u32, n: u32) -> u32 {
  let exponent = high >> 20u;
  if (exponent >= 1023u) { return n; }
  // Below 2^-64 nothing is left; this also covers 0 and subnormals.
  if (exponent < 959u || n == 0u) { return 0u; }
  let significand_high = (high & 0xfffffu) | 0x100000u;
  // 85 bits in three limbs.
  let p0 = multiply_wide(low, n);
  let p1 = multiply_wide(significand_high, n);
  var a = p0.x;
  var b = p0.y + p1.x;
  var c = p1.y + select(0u, 1u, b < p1.x);
  // n >= 1, so the product has at least 53 bits; what is beyond 53 is rounded to nearest even.
  let bits = select(64u - countLeadingZeros(b), 96u - countLeadingZeros(c), c != 0u);
  let drop = bits - 53u;
  if (drop > 0u) {
    let ones = (1u << (drop - 1u)) - 1u;        // drop <= 32
    let half = ((a >> (drop - 1u)) & 1u) == 1u;
    let rest = (a & ones) != 0u;
    let odd = select((a >> (drop & 31u)) & 1u, b & 1u, drop == 32u) == 1u;
    a = select((a >> (drop & 31u)) << (drop & 31u), 0u, drop == 32u);
    if (half && (rest || odd)) {
      if (drop == 32u) {
        b += 1u;
        c += select(0u, 1u, b == 0u);
      } else {
        let up = a + (1u << drop);
        let carry = up < a;
        a = up;
        if (carry) {
          b += 1u;
          c += select(0u, 1u, b == 0u);
        }
      }
    }
  }
  // value = product * 2^(exponent - 1075); exponent <= 1022, so at least 53 bits go.
  let shift = 1075u - exponent;
  if (shift >= 96u) { return 0u; }
  if (shift >= 64u) { return c >> (shift - 64u); }
  let by = shift - 32u;                          // 21 to 31
  return (b >> by) | (c << (32u - by));
}

// x * y as (low, high).
fn multiply_wide(x: u32, y: u32) -> vec2<u32> {
  let x0 = x & 0xffffu; let x1 = x >> 16u;
  let y0 = y & 0xffffu; let y1 = y >> 16u;
  let low = x0 * y0;
  let middle = x1 * y0 + (low >> 16u);
  let middle2 = x0 * y1 + (middle & 0xffffu);
  return vec2((middle2 << 16u) | (low & 0xffffu), x1 * y1 + (middle >> 16u) + (middle2 >> 16u));
}
