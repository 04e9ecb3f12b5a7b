// The keys that a selection ranks: |tau| of one model, or the margins of the preferred model's discarded positions.

// False: lane `work.lane` is a model. True: the slack's lane.
override SLACK: bool;

// What a block's keys need, fetched once. The slack's need everything of lib/elect.wgsl.
var<private> k_prefer: u32;
var<private> k_slot: u32;

// Whether this lane selects anything in this segment.
fn is_ranked(segment: u32) -> bool {
  let slot = segments[segment].slot;
  let wanted = ((slots[slot].trimmed >> work.lane) & 1u) == 1u;
  return wanted && (SLACK || has_input(segment, work.lane + 1u));
}

fn fetch_keys(segment: u32) {
  k_slot = segments[segment].slot;
  if (SLACK) {
    fetch_models(segment);
    k_prefer = slots[k_slot].prefer;
  } else {
    fetch_only(segment, work.lane);
  }
}

// Keys of elements 2 * pair and the next one; NOT_RANKED where the lane does not rank the element, or another pass does.
const NOT_RANKED = 0xffffffffu;
fn ranked_keys(block: u32, pair: u32) -> vec2<u32> {
  var keys = vec2(NOT_RANKED);
  var ranked = vec2(true, 2u * pair + 1u < b_count);
  if (SLACK) {
    visit(pair);
    keys = slack_keys();
    ranked = ranked & are_reservable(k_prefer);
  } else {
    let base = load_pair(b_at, b_dtype, pair);
    let values = load_pair(b_model_at[0], b_model_dtype[0], pair);
    begin_extent(base);
    extend_extent(values);
    keys = pair_keys(pair_subtract(values, base));
  }
  return select(vec2(NOT_RANKED), keys, ranked & vec2(is_mine(block)));
}
