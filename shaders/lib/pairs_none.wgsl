// Up to two models: the only pair's conflicts are the conflicts, and nothing is counted twice.

fn tally_pairs() {}
fn share_pairs() {}
fn publish_pairs(thread: u32) {}
