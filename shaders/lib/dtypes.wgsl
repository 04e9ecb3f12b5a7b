// Exact decoding of F16, BF16 and F64 to f32 bits and rounding of f32 bits to the output dtype, by integer operations:
// pack2x16float may round either way and subnormals may be flushed (faults.md, facts).

const F32 = 0u;
const F16 = 1u;
const BF16 = 2u;
const F64 = 3u;

fn decode_f16(h: u32) -> u32 {
  let sign = (h & 0x8000u) << 16u;
  let e = (h >> 10u) & 31u;
  let m = h & 0x3ffu;
  if (e == 31u) { return sign | INFINITY | (m << 13u); }
  if (e != 0u) { return sign | ((e + 112u) << 23u) | (m << 13u); }
  if (m == 0u) { return sign; }
  // Subnormal: m * 2^-24, with its leading bit brought to bit 10.
  let up = countLeadingZeros(m) - 21u;
  return sign | ((113u - up) << 23u) | (((m << up) & 0x3ffu) << 13u);
}

// Rounds once to nearest even; values under the smallest subnormal become 0 of their sign.
fn decode_f64(low: u32, high: u32) -> u32 {
  let sign = high & SIGN;
  let e = i32((high >> 20u) & 0x7ffu);
  let fraction_high = high & 0xfffffu;
  if (e == 0x7ff) {
    return select(sign | QUIET_NAN, sign | INFINITY, (fraction_high | low) == 0u);
  }
  let exponent = e - 896;
  if (exponent >= 255) { return sign | INFINITY; }
  if (exponent < -24) { return sign; }
  // 53 bits: 1.fraction_high (20) low (32). 24 + round and sticky: shift right by 29, more when subnormal.
  let significand_high = fraction_high | 0x100000u;
  let by = u32(29 + max(1 - exponent, 0));
  var m: u32; var half: bool; var rest: bool;
  if (by < 32u) {
    m = (significand_high << (32u - by)) | (low >> by);
    half = ((low >> (by - 1u)) & 1u) == 1u;
    rest = (low & ((1u << (by - 1u)) - 1u)) != 0u;
  } else {
    let b = by - 32u;
    m = significand_high >> b;
    if (b == 0u) {
      half = (low >> 31u) == 1u;
      rest = (low & MAGNITUDE) != 0u;
    } else {
      half = ((significand_high >> (b - 1u)) & 1u) == 1u;
      rest = (significand_high & ((1u << (b - 1u)) - 1u)) != 0u || low != 0u;
    }
  }
  if (half && (rest || (m & 1u) == 1u)) { m += 1u; }
  // A carry runs into the exponent, as it must.
  if (exponent < 1) { return sign | m; }
  return sign | ((u32(exponent) << 23u) + (m - 0x800000u));
}

fn encode_f16(a: u32) -> u32 {
  let sign = (a >> 16u) & 0x8000u;
  let magnitude = a & MAGNITUDE;
  if (magnitude >= INFINITY) {
    if (magnitude == INFINITY) { return sign | 0x7c00u; }
    let payload = (a >> 13u) & 0x3ffu;
    return sign | 0x7c00u | select(payload, 0x200u, payload == 0u);
  }
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude >= 0x38800000u) {
    let rebiased = magnitude - 0x38000000u;
    return sign | ((rebiased + 0xfffu + ((rebiased >> 13u) & 1u)) >> 13u);
  }
  // Subnormal: units of 2^-24.
  let e = magnitude >> 23u;
  if (e < 102u) { return sign; }
  let m = (magnitude & 0x7fffffu) | 0x800000u;
  let by = 126u - e;
  let kept = m >> by;
  let rest = m & ((1u << by) - 1u);
  let half = 1u << (by - 1u);
  return sign | (kept + select(0u, 1u, rest > half || (rest == half && (kept & 1u) == 1u)));
}

// Output bits of a pair, both halves in the low bits of their words.
fn encode(a: vec2<u32>, dtype: u32) -> vec2<u32> {
  if (dtype == BF16) {
    let rounded = (a + vec2(0x7fffu) + ((a >> vec2(16u)) & vec2(1u))) >> vec2(16u);
    let nan = (a >> vec2(16u)) | select(vec2(0u), vec2(0x40u), (a & vec2(0x7f0000u)) == vec2(0u));
    return select(rounded, nan, (a & vec2(MAGNITUDE)) > vec2(INFINITY));
  }
  if (dtype == F16) { return vec2(encode_f16(a.x), encode_f16(a.y)); }
  return a;
}
// Which finite values become infinite in the output dtype.
fn overflows(a: vec2<u32>, dtype: u32) -> vec2<bool> {
  let magnitude = a & vec2(MAGNITUDE);
  let limit = select(select(INFINITY, 0x7f7f8000u, dtype == BF16), 0x477ff000u, dtype == F16);
  return (magnitude >= vec2(limit)) & (magnitude < vec2(INFINITY));
}
