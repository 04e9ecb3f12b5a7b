// f32 arithmetic by integers alone: for the edges, and for adapters whose float units did not pass the probe.

const EDGES = true;
const SMALLEST = 0x2c800000u;  // as in f32_float.wgsl
const LARGEST = 0x4b7fffffu;
var<private> f_zero: u32;

fn f32_add(a: u32, b: u32) -> u32 { return integer_add(a, b); }
fn f32_subtract(a: u32, b: u32) -> u32 { return integer_add(a, b ^ SIGN); }
fn f32_multiply(a: u32, b: u32) -> u32 { return integer_multiply(a, b); }
fn f32_divide(a: u32, b: u32) -> u32 { return integer_divide(a, b); }

// One after the other: compilers put the whole text at every call, and compile that text for seconds where it is long.
fn pair_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  var sum = vec2(0u);
  for (var half = 0u; half < 2u; half++) { sum[half] = integer_add(a[half], b[half]); }
  return sum;
}
fn pair_subtract(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> { return pair_add(a, b ^ vec2(SIGN)); }
fn pair_multiply(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  var product = vec2(0u);
  for (var half = 0u; half < 2u; half++) { product[half] = integer_multiply(a[half], b[half]); }
  return product;
}
fn pair_divide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if (all(b == vec2(ONE))) { return a; }
  var quotient = vec2(0u);
  for (var half = 0u; half < 2u; half++) { quotient[half] = integer_divide(a[half], b[half]); }
  return quotient;
}
fn add_each(sums: ptr<function, array<vec2<u32>, 5>>, addends: array<vec2<u32>, 5>) {
  var x = addends;
  for (var i = 0u; i < 10u; i++) { (*sums)[i / 2u][i % 2u] = integer_add((*sums)[i / 2u][i % 2u], x[i / 2u][i % 2u]); }
}
