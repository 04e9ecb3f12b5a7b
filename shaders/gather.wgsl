// gather: one workgroup counts, for one block, the keys above the bracket, and lists those inside with the number of their block.
//
// Bindings: 0 arena; 1 blocks; 2 segments; 3 slots; 4 state (read); 5 entries, (key, block of the group) in no order; 6 bracket, a
//   Bracket, its counts added to, also by entries that found no room; 7 notes; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES, SLACK.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per lane and chunk, after `frame`.
// Exact. Serves merging.md section 2; oracle: the radix selection over the same keys.

struct Counted { low: u32, high: u32, above: atomic<u32>, count: atomic<u32> }
@group(0) @binding(5) var<storage, read_write> entries: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> bracket: Counted;

var<workgroup> above: atomic<u32>;
// Keys inside, and where the first of them goes.
var<workgroup> inside: atomic<u32>;
var<workgroup> place: u32;

@compute @workgroup_size(256)
fn gather(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  if (!is_ranked(block.segment)) { return; }
  fetch_keys(block.segment);
  let low = bracket.low;
  let high = bracket.high;
  let begin = block.pair + thread;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  var over = 0u;
  // Bit 2 i + h: element h of the thread's pair i is inside.
  var mine = 0u;
  for (var pair = begin; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let keys = ranked_keys(block.number, pair);
    over += ones((keys >= vec2(high)) & (keys <= vec2(MAGNITUDE)));
    let within = (keys >= vec2(low)) & (keys < vec2(high));
    mine |= (select(0u, 1u, within.x) | select(0u, 2u, within.y)) << (2u * ((pair - begin) / THREADS));
  }
  if (over != 0u) { atomicAdd(&above, over); }
  var before = 0u;
  if (mine != 0u) { before = atomicAdd(&inside, countOneBits(mine)); }
  workgroupBarrier();
  if (thread == 0u) {
    place = atomicAdd(&bracket.count, atomicLoad(&inside));
    atomicAdd(&bracket.above, atomicLoad(&above));
  }
  var into = before + workgroupUniformLoad(&place);
  // Few: to read them again, now from the cache, costs less than to keep all.
  while (mine != 0u) {
    let bit = firstTrailingBit(mine);
    mine &= mine - 1u;
    let keys = ranked_keys(block.number, begin + (bit / 2u) * THREADS);
    if (into < arrayLength(&entries)) { entries[into] = vec2(select(keys.x, keys.y, (bit & 1u) == 1u), work.block_base + block.number); }
    into++;
  }
}
