// The repair pass, over noted blocks: pairs with an edge, nothing else.

// What a thread stores is added to what the pass by float units stored.
const REPAIRS = true;

// The thread's next pair that has an edge; `end` or more when there is none.
fn next(pair: u32, end: u32) -> u32 {
  var at = pair;
  while (at < end) {
    measure(at);
    if (is_edge()) { break; }
    at += THREADS;
  }
  return at;
}
fn is_mine(block: u32) -> bool { return true; }
