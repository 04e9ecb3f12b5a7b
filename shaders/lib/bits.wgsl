// f32 values are carried as their bits: WGSL may assume that NaN and infinity do not occur, integers are exact everywhere.

const SIGN = 0x80000000u;
const MAGNITUDE = 0x7fffffffu;
const INFINITY = 0x7f800000u;
const QUIET_NAN = 0x7fc00000u;
const ONE = 0x3f800000u;

fn is_nan(a: u32) -> bool { return (a & MAGNITUDE) > INFINITY; }
fn is_nonfinite(a: u32) -> bool { return (a & MAGNITUDE) >= INFINITY; }
fn is_zero(a: u32) -> bool { return (a & MAGNITUDE) == 0u; }
fn is_negative(a: u32) -> bool { return (a & SIGN) != 0u; }

// Magnitudes order as unsigned integers; every NaN has the largest key (merging.md section 8).
fn magnitude_key(a: u32) -> u32 {
  if (is_nan(a)) { return MAGNITUDE; }
  return a & MAGNITUDE;
}
