// f32 arithmetic on any operands: by the adapter's float units where nothing but rounding can go wrong, that is where operands and
// results are zero or normal, far from overflow; everything else by integers. For passes that leave nothing to repair.

// Keeps each operation's rounding apart from the next one's (lib/f32_float.wgsl).
var<private> f_zero: u32;
const SMALLEST = 0x2c800000u;  // as in f32_float.wgsl
const LARGEST = 0x4b7fffffu;
fn sealed(a: f32) -> u32 { return bitcast<u32>(a) ^ f_zero; }

// Zero, or biased exponent in [low, high].
fn is_between(a: u32, low: u32, high: u32) -> bool {
  let magnitude = a & MAGNITUDE;
  return magnitude == 0u || (magnitude - (low << 23u)) < ((high + 1u - low) << 23u);
}

// A difference loses at most 23 binary places to cancellation, and a sum gains one.
fn f32_add(a: u32, b: u32) -> u32 {
  if (is_between(a, 25u, 252u) && is_between(b, 25u, 252u)) {
    return sealed(bitcast<f32>(a) + bitcast<f32>(b));
  }
  return integer_add(a, b);
}
fn f32_subtract(a: u32, b: u32) -> u32 { return f32_add(a, b ^ SIGN); }

fn f32_multiply(a: u32, b: u32) -> u32 {
  if (is_between(a, 65u, 190u) && is_between(b, 65u, 190u)) {
    return sealed(bitcast<f32>(a) * bitcast<f32>(b));
  }
  return integer_multiply(a, b);
}

// WGSL allows division 2.5 units in the last place: used only where the probe found it exact.
override EXACT_DIVISION: bool = false;
fn f32_divide(a: u32, b: u32) -> u32 {
  if (EXACT_DIVISION && is_between(a, 65u, 190u) && is_between(b, 65u, 190u) && !is_zero(b)) {
    return sealed(bitcast<f32>(a) / bitcast<f32>(b));
  }
  return integer_divide(a, b);
}
