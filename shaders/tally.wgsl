// tally: one workgroup counts, for one block, the keys that begin with the digits asked for, by their next digit, and the keys
// above those: what a group adds to a ranking over several tensors.
//
// Bindings: 0 arena, raw input words; 1 blocks; 2 segments; 3 slots; 4 state, one Selection a lane and slot: in the lane that is
//   counted the least key asked for, in the others what is selected (read); 5 tallied, 2^digit_bits + 1 u32 a row, the last one
//   for the keys above, added to; 7 notes; 8 work.
// Overrides: MODELS, IN_DTYPE, TASK_VECTORS, ELECTS, RESCALES, SLACK.
// Dispatch: one workgroup of 256 a block of 8,192 elements, in x then y; once per tally and chunk.
// Exact. Implements the whole-model scope of merging.md sections 2 (trim) and 6 (slack); oracle: src/reference/tally.ts.

@group(0) @binding(5) var<storage, read_write> tallied: array<atomic<u32>>;

var<private> t_row: u32;
var<private> t_prefix: u32;
var<private> t_beyond: u32;

fn count_key(key: u32) {
  if (key == NOT_RANKED) { return; }
  let digits = key >> min(work.shift + work.digit_bits, 31u);
  if (digits == t_prefix) {
    atomicAdd(&tallied[t_row + ((key >> work.shift) & ((1u << work.digit_bits) - 1u))], 1u);
  } else if (digits > t_prefix) {
    t_beyond++;
  }
}

@compute @workgroup_size(256)
fn tally(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let at = block_index(workgroup);
  if (at >= work.end_block) { return; }
  let block = blocks[at];
  if (!is_ranked(block.segment)) { return; }
  fetch_keys(block.segment);
  let size = 1u << work.digit_bits;
  t_row = slots[k_slot].tally_row * (size + 1u);
  t_prefix = state[selection_of(work.lane, k_slot)].threshold >> min(work.shift + work.digit_bits, 31u);
  t_beyond = 0u;
  let end = min(block.pair + BLOCK / 2u, (b_count + 1u) / 2u);
  for (var pair = block.pair + thread; ; pair += THREADS) {
    pair = next(pair, end);
    if (pair >= end) { break; }
    let keys = ranked_keys(block.number, pair);
    count_key(keys.x);
    count_key(keys.y);
  }
  if (t_beyond > 0u) { atomicAdd(&tallied[t_row + size], t_beyond); }
}
