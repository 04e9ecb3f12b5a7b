// Counting digits: in the workgroup's memory first, or straight into the histogram.

// BINS, or 1 where filling the workgroup's memory with zeros costs more than it saves: software adapters store them one by one.
override SHARED_BINS: u32 = 2048;
var<workgroup> bins: array<atomic<u32>, SHARED_BINS>;

// `first`: place of digit 0 in the histograms.
fn count_digit(digit: u32, first: u32) {
  if (SHARED_BINS == BINS) { atomicAdd(&bins[digit], 1u); } else { atomicAdd(&histograms[first + digit], 1u); }
}

// After all were counted, by all threads.
fn publish_digits(thread: u32, size: u32, first: u32) {
  if (SHARED_BINS != BINS) { return; }
  workgroupBarrier();
  for (var b = thread; b < size; b += THREADS) {
    let count = atomicLoad(&bins[b]);
    if (count != 0u) { atomicAdd(&histograms[first + b], count); }
  }
}
