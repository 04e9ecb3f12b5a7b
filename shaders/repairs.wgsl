// repairs: one workgroup lists the blocks that a pass noted, and how many there are of them, slice by slice; then no block is noted.
//
// Bindings: 1 blocks; 3 counters, one u32 a repair pass, the blocks it took, added to; 5 repairs, the noted blocks in their order;
//   6 slices, workgroups (x, 1, 1) of each slice's indirect dispatch; 7 notes, one flag a block first; 8 work, its row the blocks of a
//   slice, its lane the counter.
// Dispatch: one workgroup of 256.
// Exact. Implements the exact arithmetic of merging.md section 8; oracle: the conformance suite, whose data has edges.

@group(0) @binding(1) var<storage, read> blocks: array<Block>;
@group(0) @binding(3) var<storage, read_write> counters: array<u32>;
@group(0) @binding(5) var<storage, read_write> repairs: array<Block>;
@group(0) @binding(6) var<storage, read_write> slices: array<u32>;
@group(0) @binding(7) var<storage, read_write> notes: array<u32>;
@group(0) @binding(8) var<uniform> work: Work;

var<workgroup> counts: array<u32, THREADS>;

@compute @workgroup_size(256)
fn list(@builtin(local_invocation_index) thread: u32) {
  let each = (work.total + THREADS - 1u) / THREADS;
  let begin = thread * each;
  let end = min(begin + each, work.total);
  var mine = 0u;
  for (var b = begin; b < end; b++) { mine += notes[b]; }
  counts[thread] = mine;
  workgroupBarrier();
  var place = 0u;
  var all = 0u;
  for (var i = 0u; i < THREADS; i++) {
    place += select(0u, counts[i], i < thread);
    all += counts[i];
  }
  for (var b = begin; b < end; b++) {
    if (notes[b] != 0u) {
      repairs[place] = blocks[b];
      place++;
      notes[b] = 0u;
    }
  }
  if (thread == 0u) { counters[work.lane] += all; }
  for (var s = thread; s * work.row < work.end_block; s += THREADS) {
    slices[3u * s] = min(all - min(all, s * work.row), work.row);
    slices[3u * s + 1u] = 1u;
    slices[3u * s + 2u] = 1u;
  }
}
