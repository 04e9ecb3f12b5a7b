// One position over all models, in model order: trimmed and weighted values, election, agreeing sums (merging.md sections 2 to 4).

// Task arithmetic and TIES merge task vectors; linear merges the values themselves.
override TASK_VECTORS: bool;
// TIES elects a sign; without it every value takes part.
override ELECTS: bool;
override RESCALES: bool;

@group(0) @binding(4) var<storage, read> state: array<Selection>;

// State is lane by lane: a lane's selections are neighbours, so that they can be copied in one piece.
fn selection_of(lane: u32, slot: u32) -> u32 { return lane * work.slot_count + slot; }

// The position at hand. Scalars, not a struct: every compiler keeps them in registers. Masks have bit m for model m.
var<private> p_base: u32;             // f32 bits of theta_init; the first model's value where there is no base
var<private> p_e: u32;                // f32 bits of the sum of w_i tau^_i
var<private> p_kept: u32;             // values that trimming keeps, zeros included
var<private> p_nonzero: u32;          // kept and not 0, NaN included
var<private> p_tau_positive: u32;     // sign of tau^_i, before weighting
var<private> p_tau_negative: u32;
var<private> p_positive: u32;         // sign of w_i tau^_i; a zero or NaN is in neither
var<private> p_negative: u32;
var<private> p_sum_positive: u32;     // f32 bits of the sums over either sign, and of the weights there
var<private> p_sum_negative: u32;
var<private> p_weight_positive: u32;  // without election: of all models that have the element
var<private> p_weight_negative: u32;
var<private> p_nonfinite: u32;        // bit 0: a NaN among w_i tau_i, trimmed ones included; bit 1: +infinity, bit 2: -infinity
var<private> p_nonfinite_inputs: u32; // bit j: the value of input j is NaN or infinite

fn note_nonfinite(weighted: u32) {
  if (is_nan(weighted)) { p_nonfinite |= 1u; }
  else if (is_nonfinite(weighted)) { p_nonfinite |= select(2u, 4u, is_negative(weighted)); }
}

fn weigh(tau: u32, slot: u32, model: u32) -> u32 {
  var scaled = tau;
  if (RESCALES) { scaled = f32_multiply(tau, slots[slot].factor[model]); }
  let weight = slots[slot].weight[model];
  if (weight == ONE) { return scaled; }
  return f32_multiply(scaled, weight);
}

fn is_kept(selection: Selection, key: u32, index: u32) -> bool {
  return key > selection.threshold || (key == selection.threshold && index < selection.cutoff);
}

fn add_model(slot: u32, model: u32, value: u32, index: u32) {
  let bit = 1u << model;
  if (is_nonfinite(value)) { p_nonfinite_inputs |= 2u * bit; }
  let tau = f32_subtract(value, p_base);
  if (!keeps(slot, model, tau, index)) {
    // What is not finite reaches the output even where it is trimmed (merging.md section 8).
    if (is_nonfinite(tau)) { note_nonfinite(special_multiply(tau, slots[slot].weight[model])); }
    // Without election what divides is the weight of every model that has the element.
    if (!ELECTS) { p_weight_positive = f32_add(p_weight_positive, slots[slot].weight[model]); }
    return;
  }
  p_kept |= bit;
  let zero = is_zero(tau);
  if (!zero) {
    p_nonzero |= bit;
    if (!is_nan(tau)) {
      p_tau_negative |= select(0u, bit, is_negative(tau));
      p_tau_positive |= select(bit, 0u, is_negative(tau));
    }
  }
  if (!ELECTS) {
    p_weight_positive = f32_add(p_weight_positive, slots[slot].weight[model]);
    p_e = f32_add(p_e, weigh(select(value, tau, TASK_VECTORS), slot, model));
    return;
  }
  // Adding a zero would leave e as it is, up to the sign of a zero, which decides nothing.
  if (zero) { return; }
  let weighted = weigh(tau, slot, model);
  p_e = f32_add(p_e, weighted);
  note_nonfinite(weighted);
  if (is_nan(weighted) || is_zero(weighted)) { return; }
  let negative = is_negative(weighted);
  let sum = f32_add(select(p_sum_positive, p_sum_negative, negative), weighted);
  let weight = f32_add(select(p_weight_positive, p_weight_negative, negative), slots[slot].weight[model]);
  if (negative) {
    p_negative |= bit;
    p_sum_negative = sum;
    p_weight_negative = weight;
  } else {
    p_positive |= bit;
    p_sum_positive = sum;
    p_weight_positive = weight;
  }
}

// Whether + is elected: e >= 0 elects +, NaN elects - (merging.md sections 3 and 8).
fn elects_positive() -> bool {
  return !is_nan(p_e) && (!is_negative(p_e) || is_zero(p_e));
}

// The input whose values task vectors are taken from: the first listed model where there is no base (merging.md section 1).
fn base_input(segment: u32) -> u32 {
  if (TASK_VECTORS) { return 0u; }
  return firstTrailingBit(segments[segment].inputs);
}

// Makes element 2 * pair + half the position at hand. `base`: its theta_init; `index`: its flat index in the slot.
// A model without the element adds nothing.
fn visit(segment: u32, slot: u32, base: u32, pair: u32, half: u32, index: u32) {
  visit_models((segments[segment].inputs >> 1u), segment, slot, base, pair, half, index);
}

// The same for those of the segment's models that are in the mask `models`.
fn visit_models(models: u32, segment: u32, slot: u32, base: u32, pair: u32, half: u32, index: u32) {
  p_base = base;
  p_e = 0u;
  p_kept = 0u;
  p_nonzero = 0u;
  p_tau_positive = 0u;
  p_tau_negative = 0u;
  p_positive = 0u;
  p_negative = 0u;
  p_sum_positive = 0u;
  p_sum_negative = 0u;
  p_weight_positive = 0u;
  p_weight_negative = 0u;
  p_nonfinite = 0u;
  p_nonfinite_inputs = select(0u, 1u, is_nonfinite(base) && has_input(segment, 0u));
  for (var model = 0u; model < MODELS; model++) {
    if (((models >> model) & 1u) == 1u) {
      let values = load_pair(stream_at(segment, model + 1u), stream_dtype(segment, model + 1u), pair);
      add_model(slot, model, select(values.x, values.y, half == 1u), index);
    }
  }
}
