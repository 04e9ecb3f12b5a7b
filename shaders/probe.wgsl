// probe: one thread does the operations on one pair of operands, to learn whether an arithmetic library is exact here.
//
// Bindings: 0 operands, (a, b) as f32 bits; 1 results as f32 bits: a + b, a - b, a * b, a / b, (a * b) + a, (a - b) + b, 0, 0.
// Dispatch: one workgroup of 64 for 64 pairs, in x.
// Exact or refused: this is how exactness is established (merging.md section 8); oracle: IEEE arithmetic of the host.

@group(0) @binding(0) var<storage, read> operands: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read_write> results: array<vec4<u32>>;

@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= arrayLength(&operands)) { return; }
  f_zero = arrayLength(&operands) >> 31u;
  let x = operands[id.x];
  results[2u * id.x] = vec4(f32_add(x.x, x.y), f32_subtract(x.x, x.y), f32_multiply(x.x, x.y), f32_divide(x.x, x.y));
  // Fused or reassociated, these would come out otherwise.
  results[2u * id.x + 1u] = vec4(f32_add(f32_multiply(x.x, x.y), x.x), f32_add(f32_subtract(x.x, x.y), x.y), 0u, 0u);
}
