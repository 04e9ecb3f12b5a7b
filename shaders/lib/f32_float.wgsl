// f32 arithmetic by the adapter's float units, where nothing but rounding can go wrong: the start-up probe found that they round
// to nearest even (merging.md section 8). Pairs that hold an edge are left to the repair pass, which has integers.
//
// No edge: every input is 0 or has a magnitude in [2^-38, 2^24), every parameter is 0 or, weights and factors, in [2^-14, 2^14],
// lambda in [2^-10, 2^20] (src/engine/edges.ts). Then, as each sum of at most 8 terms is a multiple of its smallest term's last
// place: |tau| >= 2^-61, |w tau| >= 2^-75 (factors are at least 1), |e| and the agreeing sums >= 2^-98, quotients by weights
// >= 2^-115, times lambda >= 2^-125, with the factor 1/2 of an election 2^-126; nothing exceeds 2^113, even where weights of both
// signs nearly cancel. All are 0 or normal: whether units flush subnormals does not matter.

const EDGES = false;
const SMALLEST = 0x2c800000u;  // 2^-38
const LARGEST = 0x4b7fffffu;   // below 2^24

// Integer operations that no compiler sees through keep each operation's rounding apart from the next one's: WGSL allows fusion.
var<private> f_zero: u32;
fn sealed(a: vec2<f32>) -> vec2<u32> { return bitcast<vec2<u32>>(a) ^ vec2(f_zero); }

fn pair_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> { return sealed(bitcast<vec2<f32>>(a) + bitcast<vec2<f32>>(b)); }
fn pair_subtract(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> { return sealed(bitcast<vec2<f32>>(a) - bitcast<vec2<f32>>(b)); }
fn pair_multiply(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> { return sealed(bitcast<vec2<f32>>(a) * bitcast<vec2<f32>>(b)); }

// WGSL allows division 2.5 units in the last place: used as it is only where the probe found it exact.
override EXACT_DIVISION: bool = false;
fn pair_divide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if (EXACT_DIVISION) { return sealed(bitcast<vec2<f32>>(a) / bitcast<vec2<f32>>(b)); }
  return corrected_quotient(a, b);
}

// a / b rounded to nearest even, from a quotient of significands that may be off by 3 units in the last place and its remainder
// in integers. b is not 0; the quotient is normal.
fn corrected_quotient(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let below = (a & vec2(0x7fffffu)) < (b & vec2(0x7fffffu));
  let x = ((a & vec2(0x7fffffu)) | vec2(0x800000u)) << select(vec2(0u), vec2(1u), below);
  let y = (b & vec2(0x7fffffu)) | vec2(0x800000u);
  // In [2^24, 2^25): 24 bits of the result and one below.
  var quotient = vec2<u32>(vec2<f32>(x) / vec2<f32>(y) * vec2(16777216.0));
  // x * 2^24 - quotient * y: a few times y at most, so its low 32 bits tell it.
  var rest = bitcast<vec2<i32>>((x << vec2(24u)) - quotient * y);
  let off = vec2<i32>(floor(vec2<f32>(rest) / vec2<f32>(y)));
  quotient += bitcast<vec2<u32>>(off);
  rest -= off * bitcast<vec2<i32>>(y);
  let low = rest < vec2(0);
  quotient -= select(vec2(0u), vec2(1u), low);
  rest += select(vec2(0), bitcast<vec2<i32>>(y), low);
  let high = rest >= bitcast<vec2<i32>>(y);
  quotient += select(vec2(0u), vec2(1u), high);
  rest -= select(vec2(0), bitcast<vec2<i32>>(y), high);
  let up = ((quotient & vec2(1u)) != vec2(0u)) & ((rest != vec2(0)) | ((quotient & vec2(2u)) != vec2(0u)));
  let significand = (quotient >> vec2(1u)) + select(vec2(0u), vec2(1u), up);
  let exponent = ((a & vec2(INFINITY)) >> vec2(23u)) + vec2(127u) - ((b & vec2(INFINITY)) >> vec2(23u)) - select(vec2(0u), vec2(1u), below);
  // A carry runs into the exponent, as it must.
  let normal = (exponent << vec2(23u)) + (significand - vec2(0x800000u));
  return ((a ^ b) & vec2(SIGN)) | select(normal, vec2(0u), (a & vec2(MAGNITUDE)) == vec2(0u));
}

fn add_each(sums: ptr<function, array<vec2<u32>, 5>>, x: array<vec2<u32>, 5>) {
  (*sums)[0] = pair_add((*sums)[0], x[0]);
  (*sums)[1] = pair_add((*sums)[1], x[1]);
  (*sums)[2] = pair_add((*sums)[2], x[2]);
  (*sums)[3] = pair_add((*sums)[3], x[3]);
  (*sums)[4] = pair_add((*sums)[4], x[4]);
}

fn f32_add(a: u32, b: u32) -> u32 { return pair_add(vec2(a), vec2(b)).x; }
fn f32_subtract(a: u32, b: u32) -> u32 { return pair_subtract(vec2(a), vec2(b)).x; }
fn f32_multiply(a: u32, b: u32) -> u32 { return pair_multiply(vec2(a), vec2(b)).x; }
fn f32_divide(a: u32, b: u32) -> u32 { return pair_divide(vec2(a), vec2(b)).x; }
