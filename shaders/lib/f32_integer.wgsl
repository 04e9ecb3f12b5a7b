// f32 arithmetic, rounded to nearest even with subnormals, by integer operations alone: exact on every adapter.
// Internally a value is sign, exponent, and a 27-bit significand: 24 bits, guard, round and sticky.

// Shifts right, or-ing what falls off into the lowest bit.
fn shift_sticky(m: u32, by: u32) -> u32 {
  if (by == 0u) { return m; }
  if (by > 31u) { return select(0u, 1u, m != 0u); }
  return (m >> by) | select(0u, 1u, (m << (32u - by)) != 0u);
}

// Rounds m (27 bits, highest at bit 26 unless subnormal) at `exponent` (biased, may be below 1) and packs.
fn round_pack(sign: u32, exponent: i32, m: u32) -> u32 {
  var e = exponent;
  var s = m;
  if (e < 1) {
    s = shift_sticky(s, u32(min(1 - e, 32)));
    e = 1;
  }
  let rest = s & 7u;
  s = s >> 3u;
  if (rest > 4u || (rest == 4u && (s & 1u) == 1u)) { s += 1u; }
  if (s >= 0x1000000u) { s = s >> 1u; e += 1; }
  if (e >= 255) { return sign | INFINITY; }
  if (s < 0x800000u) { return sign | s; }
  return sign | (u32(e) << 23u) | (s & 0x7fffffu);
}

struct Unpacked { exponent: i32, significand: u32 }
// A finite non-zero value with its leading bit at bit 23, subnormals included.
fn unpack_normal(a: u32) -> Unpacked {
  let e = (a >> 23u) & 0xffu;
  let m = a & 0x7fffffu;
  if (e != 0u) { return Unpacked(i32(e), m | 0x800000u); }
  let up = countLeadingZeros(m) - 8u;
  return Unpacked(1 - i32(up), m << up);
}

fn integer_add(a: u32, b: u32) -> u32 {
  if (is_nonfinite(a) || is_nonfinite(b)) { return special_add(a, b); }
  let swap = (b & MAGNITUDE) > (a & MAGNITUDE);
  let x = select(a, b, swap);
  let y = select(b, a, swap);
  let ex = max((x >> 23u) & 0xffu, 1u);
  let ey = max((y >> 23u) & 0xffu, 1u);
  let mx = ((x & 0x7fffffu) | select(0u, 0x800000u, (x & INFINITY) != 0u)) << 3u;
  let my = shift_sticky(((y & 0x7fffffu) | select(0u, 0x800000u, (y & INFINITY) != 0u)) << 3u, ex - ey);
  if (((x ^ y) & SIGN) == 0u) {
    let sum = mx + my;
    if (sum >= 0x8000000u) { return round_pack(x & SIGN, i32(ex) + 1, shift_sticky(sum, 1u)); }
    return round_pack(x & SIGN, i32(ex), sum);
  }
  let difference = mx - my;
  if (difference == 0u) { return 0u; }
  // Up to the leading bit, but no further than the subnormals' exponent.
  let up = min(countLeadingZeros(difference) - 5u, ex - 1u);
  return round_pack(x & SIGN, i32(ex - up), difference << up);
}
fn integer_subtract(a: u32, b: u32) -> u32 { return integer_add(a, b ^ SIGN); }

fn integer_multiply(a: u32, b: u32) -> u32 {
  if (is_nonfinite(a) || is_nonfinite(b)) { return special_multiply(a, b); }
  let sign = (a ^ b) & SIGN;
  if (is_zero(a) || is_zero(b)) { return sign; }
  let x = unpack_normal(a);
  let y = unpack_normal(b);
  // 24 x 24 bits in 12-bit halves: the product is high * 2^24 + low.
  let x1 = x.significand >> 12u; let x0 = x.significand & 0xfffu;
  let y1 = y.significand >> 12u; let y0 = y.significand & 0xfffu;
  let middle = x1 * y0 + x0 * y1;
  let low_sum = x0 * y0 + ((middle & 0xfffu) << 12u);
  let high = x1 * y1 + (middle >> 12u) + (low_sum >> 24u);
  let low = low_sum & 0xffffffu;
  // high holds 23 or 24 bits; 27 are wanted, the rest is sticky.
  let exponent = x.exponent + y.exponent - 127;
  if (high >= 0x800000u) {
    return round_pack(sign, exponent + 1, (high << 3u) | (low >> 21u) | select(0u, 1u, (low & 0x1fffffu) != 0u));
  }
  return round_pack(sign, exponent, (high << 4u) | (low >> 20u) | select(0u, 1u, (low & 0xfffffu) != 0u));
}

fn integer_divide(a: u32, b: u32) -> u32 {
  if (is_nonfinite(a) || is_nonfinite(b) || is_zero(b)) { return special_divide(a, b); }
  let sign = (a ^ b) & SIGN;
  if (is_zero(a)) { return sign; }
  let x = unpack_normal(a);
  let y = unpack_normal(b);
  var rest = x.significand;
  var exponent = x.exponent - y.exponent + 127;
  if (rest < y.significand) { rest = rest << 1u; exponent -= 1; }
  var quotient = 0u;
  for (var i = 0u; i < 27u; i++) {
    quotient = quotient << 1u;
    if (rest >= y.significand) { rest -= y.significand; quotient |= 1u; }
    rest = rest << 1u;
  }
  return round_pack(sign, exponent, quotient | select(0u, 1u, rest != 0u));
}
