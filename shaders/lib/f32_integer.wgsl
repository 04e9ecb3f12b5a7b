// f32 arithmetic, rounded to nearest even with subnormals, by integer operations alone: exact on every adapter.
// Internally a value is sign, exponent, and a 27-bit significand: 24 bits, guard, round and sticky (lib/rounding.wgsl).
// Straight lines, every special case chosen at the end: compilers put the text at each call, and branches cost them the most.

struct Unpacked { exponent: i32, significand: u32 }
// A finite non-zero value with its leading bit at bit 23, subnormals included.
fn unpack_normal(a: u32) -> Unpacked {
  let e = (a >> 23u) & 0xffu;
  let m = a & 0x7fffffu;
  let up = countLeadingZeros(m) - 8u;
  return Unpacked(select(i32(e), 1 - i32(up), e == 0u), select(m | 0x800000u, m << up, e == 0u));
}

fn integer_add(a: u32, b: u32) -> u32 {
  let swap = (b & MAGNITUDE) > (a & MAGNITUDE);
  let x = select(a, b, swap);
  let y = select(b, a, swap);
  let ex = max((x >> 23u) & 0xffu, 1u);
  let ey = max((y >> 23u) & 0xffu, 1u);
  let mx = ((x & 0x7fffffu) | select(0u, 0x800000u, (x & INFINITY) != 0u)) << 3u;
  let my = shift_sticky(((y & 0x7fffffu) | select(0u, 0x800000u, (y & INFINITY) != 0u)) << 3u, ex - ey);
  let opposite = ((x ^ y) & SIGN) != 0u;
  let m = select(mx + my, mx - my, opposite);
  // A carry goes down again; a difference goes up to the leading bit, but no further than the subnormals' exponent.
  let carry = m >> 27u;
  let up = min(max(countLeadingZeros(m), 5u) - 5u, ex - 1u);
  let sum = pack_rounded(x & SIGN, ex + carry - up, ((m >> carry) | (m & carry)) << up);
  let finite = select(sum, 0u, opposite & (m == 0u));
  // x has the larger magnitude, and NaN the largest: infinities that meet differ in their sign alone.
  let special = select(x, QUIET_NAN, is_nan(x) | ((x ^ y) == SIGN));
  return select(finite, special, is_nonfinite(x));
}
fn integer_subtract(a: u32, b: u32) -> u32 { return integer_add(a, b ^ SIGN); }

fn integer_multiply(a: u32, b: u32) -> u32 {
  let sign = (a ^ b) & SIGN;
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
  let by = 4u - (high >> 23u);
  let product = round_pack(sign, x.exponent + y.exponent - 123 - i32(by), (high << by) | (low >> (24u - by)) | select(0u, 1u, (low << (8u + by)) != 0u));
  let zero = is_zero(a) | is_zero(b);
  let special = select(sign | INFINITY, QUIET_NAN, is_nan(a) | is_nan(b) | zero);
  return select(select(product, sign, zero), special, is_nonfinite(a) | is_nonfinite(b));
}

fn integer_divide(a: u32, b: u32) -> u32 {
  let sign = (a ^ b) & SIGN;
  let x = unpack_normal(a);
  let y = unpack_normal(b);
  let below = select(0u, 1u, x.significand < y.significand);
  var rest = x.significand << below;
  var quotient = 0u;
  for (var i = 0u; i < 27u; i++) {
    let one = rest >= y.significand;
    quotient = (quotient << 1u) | select(0u, 1u, one);
    rest = (rest - select(0u, y.significand, one)) << 1u;
  }
  let found = round_pack(sign, x.exponent - y.exponent + 127 - i32(below), quotient | select(0u, 1u, rest != 0u));
  // 0 over anything, anything over infinity; the other way round; and what is neither.
  let vanishes = is_zero(a) | (is_nonfinite(b) & !is_nan(b));
  let grows = is_nonfinite(a) | is_zero(b);
  let nan = is_nan(a) | is_nan(b) | (is_zero(a) & is_zero(b)) | (is_nonfinite(a) & is_nonfinite(b));
  return select(select(select(found, sign, vanishes), sign | INFINITY, grows), QUIET_NAN, nan);
}
