// Exact decoding of F16, BF16 and F64 to f32 bits and rounding of f32 bits to the output dtype, by integer operations:
// pack2x16float may round either way and subnormals may be flushed (faults.md, facts).

const F32 = 0u;
const F16 = 1u;
const BF16 = 2u;
const F64 = 3u;

fn decode_f16(h: u32) -> u32 {
  let e = (h >> 10u) & 31u;
  let m = h & 0x3ffu;
  // Subnormal: m * 2^-24, with its leading bit brought to bit 10.
  let up = countLeadingZeros(m) - 21u;
  let small = select(((113u - up) << 23u) | (((m << up) & 0x3ffu) << 13u), 0u, m == 0u);
  let large = (select(e + 112u, 255u, e == 31u) << 23u) | (m << 13u);
  return ((h & 0x8000u) << 16u) | select(large, small, e == 0u);
}

// Rounds once to nearest even; values under the smallest subnormal become 0 of their sign.
fn decode_f64(low: u32, high: u32) -> u32 {
  let sign = high & SIGN;
  let e = i32((high >> 20u) & 0x7ffu);
  // 53 bits, 1.fraction (20) low (32), of which 27 are kept, the last one sticky.
  let significand = (((high & 0xfffffu) | 0x100000u) << 6u) | (low >> 26u) | select(0u, 1u, (low << 6u) != 0u);
  let finite = round_pack(sign, min(e - 896, 255), significand);
  return select(finite, select(sign | INFINITY, sign | QUIET_NAN, ((high & 0xfffffu) | low) != 0u), e == 0x7ff);
}

fn encode_f16(a: u32) -> u32 {
  let magnitude = a & MAGNITUDE;
  let payload = (a >> 13u) & 0x3ffu;
  let nan = 0x7c00u | select(payload, 0x200u, payload == 0u);
  let rebiased = magnitude - 0x38000000u;
  let normal = min((rebiased + 0xfffu + ((rebiased >> 13u) & 1u)) >> 13u, 0x7c00u);
  // Subnormal: units of 2^-24.
  let m = (magnitude & 0x7fffffu) | 0x800000u;
  let by = min(126u - min(magnitude >> 23u, 126u), 31u);
  let rest = m & ((1u << by) - 1u);
  let half = (1u << by) >> 1u;
  let small = (m >> by) + select(0u, 1u, (rest > half) | ((rest == half) & (((m >> by) & 1u) == 1u)));
  return ((a >> 16u) & 0x8000u) | select(select(normal, small, magnitude < 0x38800000u), nan, magnitude > INFINITY);
}

// Output bits of a pair, both halves in the low bits of their words.
fn encode(a: vec2<u32>, dtype: u32) -> vec2<u32> {
  if (dtype == BF16) {
    let rounded = (a + vec2(0x7fffu) + ((a >> vec2(16u)) & vec2(1u))) >> vec2(16u);
    let nan = (a >> vec2(16u)) | select(vec2(0u), vec2(0x40u), (a & vec2(0x7f0000u)) == vec2(0u));
    return select(rounded, nan, (a & vec2(MAGNITUDE)) > vec2(INFINITY));
  }
  if (dtype == F16) {
    var halves = a;
    for (var half = 0u; half < 2u; half++) { halves[half] = encode_f16(a[half]); }
    return halves;
  }
  return a;
}
// Which finite values become infinite in the output dtype.
fn overflows(a: vec2<u32>, dtype: u32) -> vec2<bool> {
  let magnitude = a & vec2(MAGNITUDE);
  let limit = select(select(INFINITY, 0x7f7f8000u, dtype == BF16), 0x477ff000u, dtype == F16);
  return (magnitude >= vec2(limit)) & (magnitude < vec2(INFINITY));
}
