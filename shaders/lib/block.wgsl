// What the pairs of a block share, fetched once for all of them: where its segment's values begin, and each model's parameters.

@group(0) @binding(4) var<storage, read> state: array<Selection>;

// State is lane by lane: a lane's selections are neighbours, so that they can be copied in one piece.
fn selection_of(lane: u32, slot: u32) -> u32 { return lane * work.slot_count + slot; }

// The block at hand: its segment's base, elements and models that have it; then model by model.
var<private> b_at: u32;
var<private> b_dtype: u32;
var<private> b_first: u32;
var<private> b_count: u32;
var<private> b_has_base: bool;
var<private> b_models: u32;
var<private> b_model_at: array<u32, MAX_MODELS>;
var<private> b_model_dtype: array<u32, MAX_MODELS>;
var<private> b_threshold: array<u32, MAX_MODELS>;
var<private> b_cutoff: array<u32, MAX_MODELS>;
var<private> b_weight: array<u32, MAX_MODELS>;
var<private> b_factor: array<u32, MAX_MODELS>;
var<private> b_drawn: u32;
var<private> b_seed: u32;
var<private> b_stream: array<u32, MAX_MODELS>;
var<private> b_limit: array<u32, MAX_MODELS>;

fn fetch_base(segment: u32) {
  b_at = stream_at(segment, base_input(segment));
  b_dtype = stream_dtype(segment, base_input(segment));
  b_first = segments[segment].first;
  b_count = segments[segment].count;
}

// For passes over one model, which is number 0 there.
fn fetch_only(segment: u32, model: u32) {
  fetch_base(segment);
  b_models = 1u;
  b_model_at[0] = stream_at(segment, model + 1u);
  b_model_dtype[0] = stream_dtype(segment, model + 1u);
  fetch_keeping(segments[segment].slot, model, 0u);
}

fn fetch_models(segment: u32) {
  let slot = segments[segment].slot;
  fetch_base(segment);
  b_has_base = has_input(segment, 0u);
  b_models = segments[segment].inputs >> 1u;
  for (var model = 0u; model < MODELS; model++) {
    b_model_at[model] = stream_at(segment, model + 1u);
    b_model_dtype[model] = stream_dtype(segment, model + 1u);
    b_weight[model] = slots[slot].weight[model];
    b_factor[model] = slots[slot].factor[model];
    fetch_keeping(slot, model, model);
  }
}

// The input whose values task vectors are taken from: the first listed model where there is no base (merging.md section 1).
fn base_input(segment: u32) -> u32 {
  if (TASK_VECTORS) { return 0u; }
  return firstTrailingBit(segments[segment].inputs);
}
