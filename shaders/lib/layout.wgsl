// What the buffers hold. The TypeScript side (src/engine/layout.ts) is checked against this text by a test.

const MAX_MODELS = 8u;
// Selections of one slot: one per model, and the slack's as the last.
const LANES = 9u;
const SLACK_LANE = 8u;
// Elements that one workgroup of 256 takes; a thread's counts fit in 8 bits, a workgroup's in 16.
const BLOCK = 8192u;
const THREADS = 256u;
const PAIRS_PER_THREAD = 16u;
const BINS = 2048u;

// Contiguous elements of one slot. Inputs are numbered base = 0, models = 1..8.
struct Segment {
  first: u32,               // flat index in the slot of the first element
  count: u32,               // elements
  slot: u32,                // index into slots
  inputs: u32,              // bit j: input j has these elements
  output: u32,              // first word in the output
  dtypes: u32,              // 2 bits an input: 0 F32, 1 F16, 2 BF16, 3 F64
  reserved: u32,
  offsets: array<u32, 9>,   // first word in the arena, per input
}

// A tensor under merging: parameters, resolved. f32 values as their bits.
struct Slot {
  elements: u32,
  out_dtype: u32,           // as in Segment.dtypes
  trimmed: u32,             // bit l: lane l has something to select
  normalize: u32,           // 1: divide by the sum of the agreeing weights
  lambda: u32,              // f32 bits
  prefer: u32,              // preferred model of the slack, 0-based
  slack_target: u32,        // trunc(s * K_p), when the slack counts retained values
  slack_low: u32,           // s as f64 bits, when it counts discarded values; else both 0
  slack_high: u32,
  first_block: u32,         // the slot's blocks, numbered over all chunks of the group
  block_count: u32,
  drawn: u32,               // bit m: a draw decides what model m keeps
  seed: u32,                // of the draws
  tally_row: u32,           // row of a tally that its keys are counted in
  weight: array<u32, 8>,    // w_i, f32 bits
  factor: array<u32, 8>,    // rescale factor, f32 bits; 1 when off
  stream: array<u32, 8>,    // of each model's draw
  limit: array<u32, 8>,     // a value is kept where the word drawn for it is below
}

// State of one radix selection: the largest keys, ties by lowest index.
struct Selection {
  threshold: u32,           // key digits found so far; at the end the key of the last one kept
  remaining: u32,           // places left among the keys that share those digits
  cut_block: u32,           // block that holds the last tie kept
  cutoff: u32,              // flat index in the slot, exclusive: ties below it are kept
}
const NOT_CUT = 0xffffffffu;

// Keys between which the last one kept is looked for, and what there is of them.
struct Bracket {
  low: u32,                 // lowest key inside
  high: u32,                // lowest key above
  above: u32,               // keys above
  count: u32,               // keys inside, listed or not
}

// One dispatch.
struct Work {
  lane: u32,
  shift: u32,               // lowest bit of the digit being counted
  digit_bits: u32,
  first_block: u32,         // in the chunk's block table
  end_block: u32,
  row: u32,                 // workgroups in x, for dispatches over 65,535
  block_base: u32,          // blocks of the group before this chunk
  slot_count: u32,
  total: u32,               // blocks of the chunk
  zero: u32,                // 0, which no compiler knows
}

// What one workgroup takes.
struct Block {
  segment: u32,
  pair: u32,                // first pair of elements, in the segment
  number: u32,              // place in the chunk's block table
}
