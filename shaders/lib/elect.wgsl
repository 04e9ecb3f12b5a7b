// One position over all models, in model order: trimmed and weighted values, election, agreeing sums (merging.md sections 2 to 4).
// Masks have bit m for model m.

// Task arithmetic and TIES merge task vectors; linear merges the values themselves.
override TASK_VECTORS: bool;
// TIES elects a sign; without it every value takes part.
override ELECTS: bool;
override RESCALES: bool;

@group(0) @binding(4) var<storage, read> state: array<Selection>;

struct Position {
  base: u32,              // f32 bits of theta_init; the first model's value where there is no base
  e: u32,                 // f32 bits of the sum of w_i tau^_i
  kept: u32,              // positions that trimming keeps, zeros included
  nonzero: u32,           // kept and not 0, NaN included
  tau_positive: u32,      // sign of tau^_i, before weighting
  tau_negative: u32,
  // By the sign of w_i tau^_i, 0 positive and 1 negative; a zero or NaN is in neither. Without election all are in 0.
  models: array<u32, 2>,
  sums: array<u32, 2>,    // f32 bits of the sums of w_i tau^_i
  weights: array<u32, 2>, // f32 bits of the sums of w_i
  nonfinite: u32,         // bit 0: a NaN among w_i tau_i, trimmed ones included; bit 1: +infinity, bit 2: -infinity
  nonfinite_inputs: u32,  // bit j: the value of input j is NaN or infinite
}

// State is lane by lane: a lane's selections are neighbours, so that they can be copied in one piece.
fn selection_of(lane: u32, slot: u32) -> u32 { return lane * work.slot_count + slot; }

fn is_kept(selection: u32, key: u32, index: u32) -> bool {
  let s = state[selection];
  return key > s.threshold || (key == s.threshold && index < s.cutoff);
}

fn note_nonfinite(p: ptr<function, Position>, weighted: u32) {
  if (is_nan(weighted)) { (*p).nonfinite |= 1u; }
  else if (is_nonfinite(weighted)) { (*p).nonfinite |= select(2u, 4u, is_negative(weighted)); }
}

fn weigh(tau: u32, slot: u32, model: u32) -> u32 {
  var scaled = tau;
  if (RESCALES) { scaled = f32_multiply(tau, slots[slot].factor[model]); }
  let weight = slots[slot].weight[model];
  if (weight == ONE) { return scaled; }
  return f32_multiply(scaled, weight);
}

fn add_model(p: ptr<function, Position>, slot: u32, model: u32, value: u32, index: u32) {
  let bit = 1u << model;
  let tau = f32_subtract(value, (*p).base);
  if (ELECTS && !is_kept(selection_of(model, slot), magnitude_key(tau), index)) {
    // What is not finite reaches the output even where it is trimmed (merging.md section 8).
    if (is_nonfinite(tau)) { note_nonfinite(p, special_multiply(tau, slots[slot].weight[model])); }
    return;
  }
  (*p).kept |= bit;
  if (!is_zero(tau)) {
    (*p).nonzero |= bit;
    if (!is_nan(tau)) {
      if (is_negative(tau)) { (*p).tau_negative |= bit; } else { (*p).tau_positive |= bit; }
    }
  }
  if (!ELECTS) {
    (*p).weights[0] = f32_add((*p).weights[0], slots[slot].weight[model]);
    (*p).e = f32_add((*p).e, weigh(select(value, tau, TASK_VECTORS), slot, model));
    return;
  }
  // Adding a zero would leave e as it is, up to the sign of a zero, which decides nothing.
  if (is_zero(tau)) { return; }
  let weighted = weigh(tau, slot, model);
  (*p).e = f32_add((*p).e, weighted);
  note_nonfinite(p, weighted);
  if (is_nan(weighted) || is_zero(weighted)) { return; }
  let side = weighted >> 31u;
  (*p).models[side] |= bit;
  (*p).sums[side] = f32_add((*p).sums[side], weighted);
  (*p).weights[side] = f32_add((*p).weights[side], slots[slot].weight[model]);
}

// The elected side: e >= 0 elects +, NaN elects - (merging.md sections 3 and 8).
fn elected_side(p: Position) -> u32 {
  if (is_nan(p.e)) { return 1u; }
  return select(0u, 1u, is_negative(p.e) && !is_zero(p.e));
}

// theta_init; the first listed model takes its part where there is no base (merging.md section 1).
fn base_input(segment: u32) -> u32 {
  if (TASK_VECTORS) { return 0u; }
  return firstTrailingBit(segments[segment].inputs);
}

// Element 2 * pair + half over all models. A model without it adds nothing.
fn position(segment: u32, pair: u32, half: u32) -> Position {
  let slot = segments[segment].slot;
  let index = segments[segment].first + 2u * pair + half;
  var p = Position();
  p.base = load(segment, base_input(segment), pair, half);
  if (is_nonfinite(p.base) && has_input(segment, 0u)) { p.nonfinite_inputs = 1u; }
  for (var model = 0u; model < MODELS; model++) {
    if (has_input(segment, model + 1u)) {
      let value = load(segment, model + 1u, pair, half);
      if (is_nonfinite(value)) { p.nonfinite_inputs |= 2u << model; }
      add_model(&p, slot, model, value, index);
    }
  }
  return p;
}
