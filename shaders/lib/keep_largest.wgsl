// Trimming: which values of a task vector take part (merging.md section 2). Without election none is trimmed.

fn keeps(slot: u32, model: u32, tau: u32, index: u32) -> bool {
  if (!ELECTS) { return true; }
  return is_kept(state[selection_of(model, slot)], magnitude_key(tau), index);
}
