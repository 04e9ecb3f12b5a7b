// The keys that a selection ranks: |tau| of one model, or the margins of the preferred model's discarded positions.

// False: lane `work.lane` is a model. True: the slack's lane.
override SLACK: bool;

// What a block's keys need, fetched once.
var<private> k_base_at: u32;
var<private> k_base_dtype: u32;
var<private> k_model_at: u32;
var<private> k_model_dtype: u32;
var<private> k_first: u32;
var<private> k_count: u32;
var<private> k_prefer: u32;
var<private> k_segment: u32;
var<private> k_slot: u32;

// Whether this lane selects anything in this segment.
fn is_ranked(segment: u32) -> bool {
  let slot = segments[segment].slot;
  let wanted = ((slots[slot].trimmed >> work.lane) & 1u) == 1u;
  return wanted && (SLACK || has_input(segment, work.lane + 1u));
}

fn fetch_keys(segment: u32) {
  k_segment = segment;
  k_slot = segments[segment].slot;
  k_base_at = stream_at(segment, base_input(segment));
  k_base_dtype = stream_dtype(segment, base_input(segment));
  k_first = segments[segment].first;
  k_count = segments[segment].count;
  if (SLACK) {
    k_prefer = slots[k_slot].prefer;
  } else {
    k_model_at = stream_at(segment, work.lane + 1u);
    k_model_dtype = stream_dtype(segment, work.lane + 1u);
  }
}

// Keys of elements 2 * pair and 2 * pair + 1; NOT_RANKED where the lane does not rank the element.
const NOT_RANKED = 0xffffffffu;
fn ranked_keys(pair: u32) -> vec2<u32> {
  let base = load_pair(k_base_at, k_base_dtype, pair);
  var keys = vec2(NOT_RANKED, NOT_RANKED);
  if (SLACK) {
    for (var half = 0u; half < 2u; half++) {
      visit(k_segment, k_slot, select(base.x, base.y, half == 1u), pair, half, k_first + 2u * pair + half);
      if (is_reservable(k_prefer)) {
        if (half == 0u) { keys.x = slack_key(); } else { keys.y = slack_key(); }
      }
    }
  } else {
    let values = load_pair(k_model_at, k_model_dtype, pair);
    keys = vec2(magnitude_key(f32_subtract(values.x, base.x)), magnitude_key(f32_subtract(values.y, base.y)));
  }
  if (2u * pair + 1u >= k_count) { keys.y = NOT_RANKED; }
  return keys;
}
