// frame: brackets the last key kept, from the first digits of a sample; afterwards takes what is kept above the bracket for granted.
//
// `frame`: one workgroup finds the keys between which the sample places the last one kept, and empties the histogram. `settle`:
//   one thread takes what lies above the bracket off the places left. The host reads the counts and knows whether they hold it.
// Bindings: 5 histogram of the sample, BINS u32 counts; 6 state, one Selection a lane, of one slot; 7 bracket, a Bracket; 8 work,
//   its total the elements that the lane ranks.
// Dispatch: one workgroup of 256; `frame` after the sample's histogram, `settle` after all chunks were gathered.
// Exact in what it hands on; what it guesses decides only how much is gathered. Serves merging.md section 2; oracle: the radix
// selection over the same keys.

@group(0) @binding(5) var<storage, read_write> histogram: array<u32>;
@group(0) @binding(6) var<storage, read_write> state: array<Selection>;
@group(0) @binding(7) var<storage, read_write> bracket: Bracket;
@group(0) @binding(8) var<uniform> work: Work;

const FIRST_SHIFT = 20u;
const EACH = BINS / THREADS;

// Thread t: the counts of digits [BINS - (t + 1) * EACH, BINS - t * EACH), highest first.
var<workgroup> sums: array<u32, THREADS>;

// The highest digit down to which the sample has `rank` keys or more; 0 where it has not as many.
fn digit_of(rank: u32) -> u32 {
  var before = 0u;
  var part = 0u;
  while (part < THREADS && before + sums[part] < rank) { before += sums[part]; part++; }
  if (part == THREADS) { return 0u; }
  var digit = BINS - part * EACH - 1u;
  while (digit > 0u && before + histogram[digit] < rank) { before += histogram[digit]; digit--; }
  return digit;
}

@compute @workgroup_size(256)
fn frame(@builtin(local_invocation_index) thread: u32) {
  let top = BINS - thread * EACH;
  var sum = 0u;
  for (var i = 1u; i <= EACH; i++) { sum += histogram[top - i]; }
  sums[thread] = sum;
  workgroupBarrier();
  if (thread == 0u) {
    var sampled = 0u;
    for (var i = 0u; i < THREADS; i++) { sampled += sums[i]; }
    let share = f32(state[work.lane].remaining) / f32(work.total);
    let rank = share * f32(sampled);
    // Six deviations of a fair sample, and 1 in 256 for neighbours being alike.
    let margin = 6.0 * sqrt(rank * (1.0 - share)) + f32(sampled) / 256.0;
    let first = u32(max(rank - margin, 1.0));
    let last = u32(ceil(rank + margin));
    bracket.low = digit_of(last) << FIRST_SHIFT;
    bracket.high = select((digit_of(first) + 1u) << FIRST_SHIFT, SIGN, rank <= margin);
    bracket.above = 0u;
    bracket.count = 0u;
  }
  storageBarrier();
  workgroupBarrier();
  for (var b = thread; b < BINS; b += THREADS) { histogram[b] = 0u; }
}

@compute @workgroup_size(1)
fn settle() {
  let remaining = state[work.lane].remaining;
  state[work.lane].remaining = select(1u, remaining - bracket.above, remaining > bracket.above);
}
