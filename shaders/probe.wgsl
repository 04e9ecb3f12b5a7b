// probe: one thread does the four operations on one pair of operands, to learn whether an arithmetic library is exact here.
//
// Bindings: 0 operands, (a, b) as f32 bits; 1 results, (a + b, a - b, a * b, a / b) as f32 bits.
// Dispatch: one workgroup of 64 for 64 pairs, in x.
// Exact or refused: this is how exactness is established (merging.md section 8); oracle: IEEE arithmetic of the host.

@group(0) @binding(0) var<storage, read> operands: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read_write> results: array<vec4<u32>>;

@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= arrayLength(&operands)) { return; }
  let x = operands[id.x];
  results[id.x] = vec4(f32_add(x.x, x.y), f32_subtract(x.x, x.y), f32_multiply(x.x, x.y), f32_divide(x.x, x.y));
}
