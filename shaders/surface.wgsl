// surface: one thread bins, for 32 elements, what each adds to the counts at every pair of densities of two models, x and y.
//
// Kept sets are nested in the density, so an element is kept at every density from some place of the axis on; with the other
// models fixed, its counts know four cases: x kept or not, y kept or not. A difference put at place (i, j) of the grid counts,
// after cumulative sums over both axes (on the host), wherever x's place >= i and y's >= j.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read), where x and y keep everything; 5 axes, NX and then NY
//   Selections, each for all slots, ascending in density; 6 bins, i32 as u32, per slot: COUNTED grids of NY rows of NX (conflict,
//   won by x, won by y, discarded of x, of y), then the non-zero values of x by place, then those of y; 7 notes; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES; AXIS_X, AXIS_Y, models on the axes; NX, NY, densities.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; after the selections of the other models.
// Exact. Implements SlotSurface of src/merge/exploring.ts (merging.md sections 2, 3 and 5); oracle: src/merge/sweeps.ts.

override AXIS_X: u32;
override AXIS_Y: u32;
override NX: u32;
override NY: u32;

@group(0) @binding(5) var<storage, read> axes: array<Selection>;
@group(0) @binding(6) var<storage, read_write> bins: array<atomic<u32>>;

const COUNTED = 5u;

// First place of an axis, whose Selections begin with number `first`, that keeps the element; `places` where none does.
fn place(first: u32, places: u32, slot: u32, key: u32, index: u32) -> u32 {
  var low = 0u;
  var high = places;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (is_kept(axes[(first + middle) * work.slot_count + slot], key, index)) { high = middle; } else { low = middle + 1u; }
  }
  return low;
}

// The counts of both elements of the pair at hand: one each in the order of the grids.
struct Counted { first: array<vec4<i32>, 2>, last: vec2<i32> }
fn counted() -> Counted {
  let agreeing = select(p_negative, p_positive, elects_positive());
  let dropped = p_nonzero & ~agreeing;
  let conflict = select(vec2(0u), vec2(1u), (p_tau_positive != vec2(0u)) & (p_tau_negative != vec2(0u)));
  let won = agreeing * conflict;
  var all: Counted;
  for (var half = 0u; half < 2u; half++) {
    all.first[half] = vec4<i32>(vec4(conflict[half], (won[half] >> AXIS_X) & 1u, (won[half] >> AXIS_Y) & 1u, (dropped[half] >> AXIS_X) & 1u));
  }
  all.last = vec2<i32>((dropped >> vec2(AXIS_Y)) & vec2(1u));
  return all;
}

fn put(slot_bins: u32, i: u32, j: u32, first: vec4<i32>, last: i32) {
  if (i >= NX || j >= NY) { return; }
  let at = slot_bins + j * NX + i;
  for (var k = 0u; k < 4u; k++) {
    if (first[k] != 0) { atomicAdd(&bins[at + k * NX * NY], bitcast<u32>(first[k])); }
  }
  if (last != 0) { atomicAdd(&bins[at + 4u * NX * NY], bitcast<u32>(last)); }
}

fn tau_of(model: u32, pair: u32) -> vec2<u32> {
  return pair_subtract(load_pair(b_model_at[model], b_model_dtype[model], pair), p_base);
}

@compute @workgroup_size(256)
fn surface(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let slot = segments[block.segment].slot;
  fetch_models(block.segment);
  let slot_bins = slot * (COUNTED * NX * NY + NX + NY);
  let nonzero_bins = slot_bins + COUNTED * NX * NY;
  let x_bit = 1u << AXIS_X;
  let y_bit = 1u << AXIS_Y;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    // Both, neither, x alone, y alone. With two models, neither is nothing.
    var cases: array<Counted, 4>;
    visit(pair);
    if (!is_mine(block.number)) { continue; }
    cases[0] = counted();
    for (var c = select(2u, 1u, MODELS > 2u); c < 4u; c++) {
      visit_models(b_models & ~(select(x_bit, 0u, c == 2u) | select(y_bit, 0u, c == 3u)), pair);
      cases[c] = counted();
    }
    let taus_x = tau_of(AXIS_X, pair);
    let taus_y = tau_of(AXIS_Y, pair);
    for (var half = 0u; half < 2u; half++) {
      if (!p_valid[half]) { continue; }
      let index = index_of(pair) + half;
      var i = NX;
      if ((b_models & x_bit) != 0u) {
        i = place(0u, NX, slot, magnitude_key(taus_x[half]), index);
        if (!is_zero(taus_x[half]) && i < NX) { atomicAdd(&bins[nonzero_bins + i], 1u); }
      }
      var j = NY;
      if ((b_models & y_bit) != 0u) {
        j = place(NX, NY, slot, magnitude_key(taus_y[half]), index);
        if (!is_zero(taus_y[half]) && j < NY) { atomicAdd(&bins[nonzero_bins + NX + j], 1u); }
      }
      let both = cases[0].first[half];
      let none = cases[1].first[half];
      let x_alone = cases[2].first[half];
      let y_alone = cases[3].first[half];
      let last = vec4(cases[0].last[half], cases[1].last[half], cases[2].last[half], cases[3].last[half]);
      put(slot_bins, 0u, 0u, none, last.y);
      put(slot_bins, i, 0u, x_alone - none, last.z - last.y);
      put(slot_bins, 0u, j, y_alone - none, last.w - last.y);
      put(slot_bins, i, j, both - x_alone - y_alone + none, last.x - last.z - last.w + last.y);
    }
  }
}
