// Trimming: which values of a task vector take part (merging.md section 2). Without election none is trimmed.

// What deciding for model `lane` of a slot takes, as the block's model number `model`.
fn fetch_keeping(slot: u32, lane: u32, model: u32) {
  if (!ELECTS) { return; }
  let selection = state[selection_of(lane, slot)];
  b_threshold[model] = selection.threshold;
  b_cutoff[model] = selection.cutoff;
}

// `index` is the first element's.
fn keeps(model: u32, tau: vec2<u32>, index: u32) -> vec2<bool> {
  if (!ELECTS) { return vec2(true); }
  return are_kept(b_threshold[model], b_cutoff[model], pair_keys(tau), index);
}
