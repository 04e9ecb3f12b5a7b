// The pass by float units: pairs with an edge are left out and their block is noted for the repair pass.

const REPAIRS = false;

// The thread's next pair.
fn next(pair: u32, end: u32) -> u32 { return pair; }

// Whether the pass takes the pair at hand.
fn is_mine(block: u32) -> bool {
  let edge = is_edge();
  if (edge) { atomicStore(&notes[block], 1u); }
  return !edge;
}
