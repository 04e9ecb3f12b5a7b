// A pair of neighbouring elements over all models, in model order: trimmed and weighted values, election, agreeing sums
// (merging.md sections 2 to 4). What a block's pairs share is in block.wgsl.

// Task arithmetic and TIES merge task vectors; linear merges the values themselves.
override TASK_VECTORS: bool;
// TIES elects a sign; without it every value takes part.
override ELECTS: bool;
override RESCALES: bool;

// The pair at hand, element by element. Masks have bit m for model m.
var<private> p_base: vec2<u32>;             // f32 bits of theta_init; the first model's value where there is no base
var<private> p_e: vec2<u32>;                // f32 bits of the sum of w_i tau^_i
var<private> p_valid: vec2<bool>;           // false for what fills up an odd count
var<private> p_kept: vec2<u32>;             // values that trimming keeps, zeros included
var<private> p_nonzero: vec2<u32>;          // kept and not 0, NaN included
var<private> p_tau_positive: vec2<u32>;     // sign of tau^_i, before weighting
var<private> p_tau_negative: vec2<u32>;
var<private> p_positive: vec2<u32>;         // sign of w_i tau^_i; a zero or NaN is in neither
var<private> p_negative: vec2<u32>;
var<private> p_sum_positive: vec2<u32>;     // f32 bits of the sums over either sign, and of the weights there
var<private> p_sum_negative: vec2<u32>;
var<private> p_weight_positive: vec2<u32>;  // without election: of all models that have the element
var<private> p_weight_negative: vec2<u32>;
var<private> p_nonfinite: vec2<u32>;        // bit 0: a NaN among w_i tau_i, trimmed ones included; bit 1: +infinity, bit 2: -infinity
var<private> p_nonfinite_inputs: vec2<u32>; // bit j: the value of input j is NaN or infinite

// Takes the extent of a pair's inputs.
fn measure(pair: u32) {
  begin_extent(load_pair(b_at, b_dtype, pair));
  for (var model = 0u; model < MODELS; model++) {
    if (((b_models >> model) & 1u) == 1u) { extend_extent(load_pair(b_model_at[model], b_model_dtype[model], pair)); }
  }
}

fn index_of(pair: u32) -> u32 { return b_first + 2u * pair; }
fn pick(mask: vec2<bool>, value: u32) -> vec2<u32> { return select(vec2(0u), vec2(value), mask); }
fn ones(mask: vec2<bool>) -> u32 { return select(0u, 1u, mask.x) + select(0u, 1u, mask.y); }
fn are_zero(a: vec2<u32>) -> vec2<bool> { return (a & vec2(MAGNITUDE)) == vec2(0u); }
fn are_negative(a: vec2<u32>) -> vec2<bool> { return (a & vec2(SIGN)) != vec2(0u); }
fn are_nan(a: vec2<u32>) -> vec2<bool> { return (a & vec2(MAGNITUDE)) > vec2(INFINITY); }
fn are_nonfinite(a: vec2<u32>) -> vec2<bool> { return (a & vec2(MAGNITUDE)) >= vec2(INFINITY); }

// Magnitudes order as unsigned integers; every NaN has the largest key (merging.md section 8).
fn pair_keys(a: vec2<u32>) -> vec2<u32> {
  let magnitude = a & vec2(MAGNITUDE);
  if (!EDGES) { return magnitude; }
  return select(magnitude, vec2(MAGNITUDE), magnitude > vec2(INFINITY));
}

// Elements at `index` and the next one.
fn are_kept(threshold: u32, cutoff: u32, keys: vec2<u32>, index: u32) -> vec2<bool> {
  return (keys > vec2(threshold)) | ((keys == vec2(threshold)) & (vec2(index, index + 1u) < vec2(cutoff)));
}
fn is_kept(selection: Selection, key: u32, index: u32) -> bool {
  return key > selection.threshold || (key == selection.threshold && index < selection.cutoff);
}

// w_i times the rescaled value.
fn weigh(values: vec2<u32>, model: u32) -> vec2<u32> {
  var weighted = values;
  if (RESCALES) { weighted = pair_multiply(weighted, vec2(b_factor[model])); }
  if (b_weight[model] != ONE) { weighted = pair_multiply(weighted, vec2(b_weight[model])); }
  return weighted;
}

// What is not finite reaches the output even where it is trimmed (merging.md section 8).
fn note_nonfinite(weighted: vec2<u32>, counts: vec2<bool>) {
  let special = counts & are_nonfinite(weighted);
  let nan = are_nan(weighted);
  p_nonfinite |= pick(special & nan, 1u) | pick(special & !nan & !are_negative(weighted), 2u) | pick(special & !nan & are_negative(weighted), 4u);
}

fn add_model(model: u32, values: vec2<u32>, index: u32) {
  let bit = 1u << model;
  let tau = pair_subtract(values, p_base);
  let kept = p_valid & keeps(model, tau, index);
  let live = kept & !are_zero(tau);
  let number = live & !are_nan(tau);
  p_kept |= pick(kept, bit);
  p_nonzero |= pick(live, bit);
  p_tau_negative |= pick(number & are_negative(tau), bit);
  p_tau_positive |= pick(number & !are_negative(tau), bit);
  if (EDGES) { p_nonfinite_inputs |= pick(p_valid & are_nonfinite(values), 2u * bit); }
  if (!ELECTS) {
    // What divides is the weight of every model that has the element.
    p_weight_positive = pair_add(p_weight_positive, vec2(b_weight[model]));
    var taken = values;
    if (TASK_VECTORS) { taken = tau; }
    p_e = pair_add(p_e, select(vec2(0u), weigh(taken, model), kept));
    return;
  }
  let weighted = weigh(tau, model);
  if (EDGES) { note_nonfinite(weighted, p_valid & (live | are_nonfinite(tau))); }
  let signed = live & !are_zero(weighted) & !are_nan(weighted);
  let negative = signed & are_negative(weighted);
  let positive = signed & !are_negative(weighted);
  p_negative |= pick(negative, bit);
  p_positive |= pick(positive, bit);
  // Adding a zero leaves a sum as it is, up to the sign of a zero, which decides nothing.
  var sums = array(p_e, p_sum_negative, p_sum_positive, p_weight_negative, p_weight_positive);
  add_each(&sums, array(
    select(vec2(0u), weighted, live),
    select(vec2(0u), weighted, negative),
    select(vec2(0u), weighted, positive),
    pick(negative, b_weight[model]),
    pick(positive, b_weight[model]),
  ));
  p_e = sums[0];
  p_sum_negative = sums[1];
  p_sum_positive = sums[2];
  p_weight_negative = sums[3];
  p_weight_positive = sums[4];
}

// Whether + is elected: e >= 0 elects +, NaN elects - (merging.md sections 3 and 8).
fn elects_positive() -> vec2<bool> {
  let positive = !are_negative(p_e) | are_zero(p_e);
  if (!EDGES) { return positive; }
  return positive & !are_nan(p_e);
}

// Makes elements 2 * pair and the next one the pair at hand. A model without them adds nothing.
fn visit(pair: u32) { visit_models(b_models, pair); }

// The same for those of the segment's models that are in the mask `models`.
fn visit_models(models: u32, pair: u32) {
  p_base = load_pair(b_at, b_dtype, pair);
  p_valid = vec2(true, 2u * pair + 1u < b_count);
  p_e = vec2(0u);
  p_kept = vec2(0u);
  p_nonzero = vec2(0u);
  p_tau_positive = vec2(0u);
  p_tau_negative = vec2(0u);
  p_positive = vec2(0u);
  p_negative = vec2(0u);
  p_sum_positive = vec2(0u);
  p_sum_negative = vec2(0u);
  p_weight_positive = vec2(0u);
  p_weight_negative = vec2(0u);
  p_nonfinite = vec2(0u);
  p_nonfinite_inputs = vec2(0u);
  if (EDGES) { p_nonfinite_inputs = pick(p_valid & are_nonfinite(p_base) & vec2(b_has_base), 1u); }
  begin_extent(p_base);
  for (var model = 0u; model < MODELS; model++) {
    if (((models >> model) & 1u) == 1u) {
      let values = load_pair(b_model_at[model], b_model_dtype[model], pair);
      extend_extent(values);
      add_model(model, values, index_of(pair));
    }
  }
}
