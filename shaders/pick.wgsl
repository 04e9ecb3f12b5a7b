// pick: one workgroup finds, for one slot, the digit of the last key that still fits, and empties the histogram.
//
// Bindings: 3 slots; 5 histograms, BINS u32 counts a slot; 6 state, one Selection a lane and slot, updated; 8 work.
// Dispatch: one workgroup of 256 a slot, in x then y; after the histograms of all chunks.
// Exact. Implements merging.md sections 2 and 6, R = min(trunc(s * M), |D|) included; oracle: src/reference/trim.ts, slack.ts.

@group(0) @binding(3) var<storage, read> slots: array<Slot>;
@group(0) @binding(5) var<storage, read_write> histograms: array<u32>;
@group(0) @binding(6) var<storage, read_write> state: array<Selection>;
@group(0) @binding(8) var<uniform> work: Work;

var<workgroup> sums: array<u32, THREADS>;

@compute @workgroup_size(256)
fn pick(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let slot = workgroup.x + workgroup.y * work.row;
  if (slot >= work.slot_count) { return; }
  if (((slots[slot].trimmed >> work.lane) & 1u) == 0u) { return; }
  let size = 1u << work.digit_bits;
  let each = size / THREADS;
  // Thread 0 has the highest digits: the largest keys are kept.
  let top = size - thread * each;
  var sum = 0u;
  for (var i = 1u; i <= each; i++) { sum += histograms[slot * BINS + top - i]; }
  sums[thread] = sum;
  workgroupBarrier();
  if (thread == 0u) {
    let at = work.lane * work.slot_count + slot;
    var remaining = state[at].remaining;
    if (work.lane == SLACK_LANE && work.shift + work.digit_bits == 31u) {
      var discarded = 0u;
      for (var i = 0u; i < THREADS; i++) { discarded += sums[i]; }
      var target_count = slots[slot].slack_target;
      if ((slots[slot].slack_low | slots[slot].slack_high) != 0u) {
        target_count = truncated_product(slots[slot].slack_low, slots[slot].slack_high, discarded);
      }
      remaining = min(target_count, discarded);
    }
    if (remaining == 0u) {
      // Nothing to keep: no key is above the largest, and no index below 0.
      state[at] = Selection(MAGNITUDE, 0u, 0u, 0u);
    } else {
      var part = 0u;
      while (part < THREADS - 1u && sums[part] < remaining) { remaining -= sums[part]; part++; }
      var digit = size - part * each - 1u;
      let lowest = digit + 1u - each;
      while (digit > lowest && histograms[slot * BINS + digit] < remaining) {
        remaining -= histograms[slot * BINS + digit];
        digit--;
      }
      state[at] = Selection(state[at].threshold | (digit << work.shift), remaining, 0u, 0u);
    }
  }
  storageBarrier();
  workgroupBarrier();
  for (var b = thread; b < size; b += THREADS) { histograms[slot * BINS + b] = 0u; }
}
