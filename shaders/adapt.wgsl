// adapt: one thread forms two neighbouring values of an adapter on its base, theta + scale * (P Q), in f32.
//
// Bindings: 0 arena, theta of the request's elements in its dtype; 4 request; 5 left, P by rows, f32 bits; 6 right, Q by rows,
//   f32 bits; 7 formed, f32 bits, one word an element; 8 work.
// Overrides: IN_DTYPE, RANK.
// Dispatch: one workgroup of 256 a block of 512 elements, in x then y.
// Exact: every operation rounded to nearest even, ranks in order, nothing fused. Implements AdaptRequest of
// src/merge/adapting.ts; oracle: src/reference/adapt.ts.

override RANK: u32;

struct Request {
  dtype: u32,               // as in Segment.dtypes
  count: u32,               // elements
  columns: u32,
  column: u32,              // of the first element; P begins with its row
  scale: u32,               // f32 bits
}

@group(0) @binding(4) var<storage, read> request: Request;
@group(0) @binding(5) var<storage, read> left: array<u32>;
@group(0) @binding(6) var<storage, read> right: array<u32>;
@group(0) @binding(7) var<storage, read_write> formed: array<u32>;

fn adapted(theta: u32, element: u32) -> u32 {
  let place = request.column + element;
  let row = place / request.columns;
  let column = place % request.columns;
  var sum = 0u;
  for (var r = 0u; r < RANK; r++) {
    sum = f32_add(sum, f32_multiply(left[row * RANK + r], right[r * request.columns + column]));
  }
  let value = f32_add(theta, f32_multiply(request.scale, sum));
  return select(value, QUIET_NAN, is_nan(value));
}

@compute @workgroup_size(256)
fn adapt(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let block = block_index(workgroup);
  if (block >= work.end_block) { return; }
  let pair = block * THREADS + thread;
  if (2u * pair >= request.count) { return; }
  let theta = load_pair(0u, request.dtype, pair);
  formed[2u * pair] = adapted(theta.x, 2u * pair);
  if (2u * pair + 1u < request.count) { formed[2u * pair + 1u] = adapted(theta.y, 2u * pair + 1u); }
}
