// gather: one workgroup counts, for one block and each of several models, the keys above its bracket, and lists those inside with
// their flat index: the base is read once for all of them.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 entries, (key, flat index) in no order, the same room for each
//   model; 6 brackets, a Bracket each at multiples of STRIDE, the counts added to, also by entries that found no room; 7 notes; 8 work,
//   its lane the models as a mask.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per chunk.
// Exact. Serves merging.md section 2; oracle: the radix selection over the same keys.

struct Counted { low: u32, high: u32, above: atomic<u32>, count: atomic<u32> }
@group(0) @binding(5) var<storage, read_write> entries: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> brackets: array<Counted>;

// Of the brackets, in structs: bindings of one each begin at multiples of 256 bytes.
const STRIDE = 16u;

var<workgroup> above: array<atomic<u32>, MAX_MODELS>;
// Keys inside, and where the first of them goes.
var<workgroup> inside: array<atomic<u32>, MAX_MODELS>;
var<workgroup> places: array<u32, MAX_MODELS>;

fn is_ranked(models: u32, model: u32) -> bool { return ((models >> model) & 1u) == 1u; }
// Number of a model among those that are ranked.
fn lane_of(model: u32) -> u32 { return countOneBits(work.lane & ((1u << model) - 1u)); }
fn keys_of(model: u32, base: vec2<u32>, pair: u32) -> vec2<u32> {
  let values = load_pair(b_model_at[model], b_model_dtype[model], pair);
  extend_extent(values);
  return pair_keys(pair_subtract(values, base));
}

@compute @workgroup_size(256)
fn gather(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  let models = work.lane & (segments[block.segment].inputs >> 1u);
  if (models == 0u) { return; }
  fetch_models(block.segment);
  // Nothing of the others is read, so that they have no part in what is an edge.
  b_models = models;
  let begin = block.pair + thread;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  var low: array<u32, MAX_MODELS>;
  var high: array<u32, MAX_MODELS>;
  for (var model = 0u; model < MODELS; model++) {
    if (is_ranked(models, model)) {
      low[model] = brackets[STRIDE * lane_of(model)].low;
      high[model] = brackets[STRIDE * lane_of(model)].high;
    }
  }
  var over: array<u32, MAX_MODELS>;
  // Bit 2 i + h: element h of the thread's pair i is inside.
  var mine: array<u32, MAX_MODELS>;
  var keys: array<vec2<u32>, MAX_MODELS>;
  for (var pair = begin; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let base = load_pair(b_at, b_dtype, pair);
    begin_extent(base);
    for (var model = 0u; model < MODELS; model++) {
      if (is_ranked(models, model)) { keys[model] = keys_of(model, base, pair); }
    }
    if (!is_mine(block.number)) { continue; }
    let valid = vec2(true, 2u * pair + 1u < b_count);
    for (var model = 0u; model < MODELS; model++) {
      if (is_ranked(models, model)) {
        over[model] += ones(valid & (keys[model] >= vec2(high[model])));
        let within = valid & (keys[model] >= vec2(low[model])) & (keys[model] < vec2(high[model]));
        mine[model] |= (select(0u, 1u, within.x) | select(0u, 2u, within.y)) << (2u * ((pair - begin) / THREADS));
      }
    }
  }
  var before: array<u32, MAX_MODELS>;
  for (var model = 0u; model < MODELS; model++) {
    if (over[model] != 0u) { atomicAdd(&above[model], over[model]); }
    if (mine[model] != 0u) { before[model] = atomicAdd(&inside[model], countOneBits(mine[model])); }
  }
  workgroupBarrier();
  if (thread < MODELS && is_ranked(models, thread)) {
    places[thread] = atomicAdd(&brackets[STRIDE * lane_of(thread)].count, atomicLoad(&inside[thread]));
    atomicAdd(&brackets[STRIDE * lane_of(thread)].above, atomicLoad(&above[thread]));
  }
  workgroupBarrier();
  let room = arrayLength(&entries) / countOneBits(work.lane);
  for (var model = 0u; model < MODELS; model++) {
    var into = places[model] + before[model];
    // Few: to read them again, now from the cache, costs less than to keep all.
    while (mine[model] != 0u) {
      let bit = firstTrailingBit(mine[model]);
      mine[model] &= mine[model] - 1u;
      let pair = begin + (bit / 2u) * THREADS;
      let both = keys_of(model, load_pair(b_at, b_dtype, pair), pair);
      let index = index_of(pair) + (bit & 1u);
      if (into < room) { entries[lane_of(model) * room + into] = vec2(select(both.x, both.y, (bit & 1u) == 1u), index); }
      into++;
    }
  }
}
