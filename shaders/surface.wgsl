// surface: one thread bins, for 32 elements, what each adds to the counts at every pair of densities of two models, x and y.
//
// Kept sets are nested in the density, so an element is kept at every density from some place of the axis on; with the other
// models fixed, its counts know four cases: x kept or not, y kept or not. A difference put at place (i, j) of the grid counts,
// after cumulative sums over both axes (on the host), wherever x's place >= i and y's >= j.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read), where x and y keep everything; 5 kept_x, NX Selections,
//   each for all slots, ascending in density; 6 kept_y likewise; 7 bins, i32 as u32, per slot: COUNTED grids of NY rows of NX
//   (conflict, won by x, won by y, discarded of x, of y), then the non-zero values of x by place, then those of y; 8 work.
// Overrides: MODELS, ALL_BF16, TASK_VECTORS, ELECTS, RESCALES; AXIS_X, AXIS_Y, models on the axes; NX, NY, densities.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; after the selections of the other models.
// Exact. Implements SlotSurface of src/merge/exploring.ts (merging.md sections 2, 3 and 5); oracle: src/merge/sweeps.ts.

override AXIS_X: u32;
override AXIS_Y: u32;
override NX: u32;
override NY: u32;

@group(0) @binding(5) var<storage, read> kept_x: array<Selection>;
@group(0) @binding(6) var<storage, read> kept_y: array<Selection>;
@group(0) @binding(7) var<storage, read_write> bins: array<atomic<u32>>;

const COUNTED = 5u;

// First place of the axis that keeps the element; NX or NY where none does.
fn place_x(slot: u32, key: u32, index: u32) -> u32 {
  var low = 0u;
  var high = NX;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (is_kept(kept_x[middle * work.slot_count + slot], key, index)) { high = middle; } else { low = middle + 1u; }
  }
  return low;
}
fn place_y(slot: u32, key: u32, index: u32) -> u32 {
  var low = 0u;
  var high = NY;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (is_kept(kept_y[middle * work.slot_count + slot], key, index)) { high = middle; } else { low = middle + 1u; }
  }
  return low;
}

// The element's counts with the position at hand as visited: a byte each, in the order of the grids.
struct Counted { first: vec4<i32>, last: i32 }
fn counted() -> Counted {
  let agreeing = select(p_negative, p_positive, elects_positive());
  let dropped = p_nonzero & ~agreeing;
  let conflict = select(0u, 1u, p_tau_positive != 0u && p_tau_negative != 0u);
  let won = agreeing * conflict;
  return Counted(
    vec4<i32>(vec4(conflict, (won >> AXIS_X) & 1u, (won >> AXIS_Y) & 1u, (dropped >> AXIS_X) & 1u)),
    i32((dropped >> AXIS_Y) & 1u),
  );
}

fn put(slot_bins: u32, i: u32, j: u32, first: vec4<i32>, last: i32) {
  if (i >= NX || j >= NY) { return; }
  let at = slot_bins + j * NX + i;
  for (var k = 0u; k < 4u; k++) {
    if (first[k] != 0) { atomicAdd(&bins[at + k * NX * NY], bitcast<u32>(first[k])); }
  }
  if (last != 0) { atomicAdd(&bins[at + 4u * NX * NY], bitcast<u32>(last)); }
}

fn tau_of(segment: u32, model: u32, base: u32, pair: u32, half: u32) -> u32 {
  let values = load_pair(stream_at(segment, model + 1u), stream_dtype(segment, model + 1u), pair);
  return f32_subtract(select(values.x, values.y, half == 1u), base);
}

@compute @workgroup_size(256)
fn surface(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.x].slot;
  let count = segments[block.x].count;
  let first = segments[block.x].first;
  let models = segments[block.x].inputs >> 1u;
  let base_at = stream_at(block.x, 0u);
  let base_dtype = stream_dtype(block.x, 0u);
  let slot_bins = slot * (COUNTED * NX * NY + NX + NY);
  let nonzero_bins = slot_bins + COUNTED * NX * NY;
  let x_bit = 1u << AXIS_X;
  let y_bit = 1u << AXIS_Y;
  let end = min(block.y + BLOCK / 2u, (count + 1u) / 2u);
  for (var pair = block.y + thread; pair < end; pair += THREADS) {
    let bases = load_pair(base_at, base_dtype, pair);
    for (var half = 0u; half < 2u && 2u * pair + half < count; half++) {
      let base = select(bases.x, bases.y, half == 1u);
      let index = first + 2u * pair + half;
      var i = NX;
      if ((models & x_bit) != 0u) {
        let tau = tau_of(block.x, AXIS_X, base, pair, half);
        i = place_x(slot, magnitude_key(tau), index);
        if (!is_zero(tau) && i < NX) { atomicAdd(&bins[nonzero_bins + i], 1u); }
      }
      var j = NY;
      if ((models & y_bit) != 0u) {
        let tau = tau_of(block.x, AXIS_Y, base, pair, half);
        j = place_y(slot, magnitude_key(tau), index);
        if (!is_zero(tau) && j < NY) { atomicAdd(&bins[nonzero_bins + NX + j], 1u); }
      }
      var both = Counted();
      if (i < NX && j < NY) {
        visit_models(models, block.x, slot, base, pair, half, index);
        both = counted();
      }
      var only_x = Counted();
      if (i < NX) {
        visit_models(models & ~y_bit, block.x, slot, base, pair, half, index);
        only_x = counted();
      }
      var only_y = Counted();
      if (j < NY) {
        visit_models(models & ~x_bit, block.x, slot, base, pair, half, index);
        only_y = counted();
      }
      var neither = Counted();
      if (MODELS > 2u) {
        visit_models(models & ~(x_bit | y_bit), block.x, slot, base, pair, half, index);
        neither = counted();
      }
      put(slot_bins, 0u, 0u, neither.first, neither.last);
      put(slot_bins, i, 0u, only_x.first - neither.first, only_x.last - neither.last);
      put(slot_bins, 0u, j, only_y.first - neither.first, only_y.last - neither.last);
      put(slot_bins, i, j, both.first - only_x.first - only_y.first + neither.first, both.last - only_x.last - only_y.last + neither.last);
    }
  }
}
