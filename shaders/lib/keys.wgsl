// The keys that a selection ranks: |tau| of one model, or the margins of the preferred model's discarded positions.

// False: lane `work.lane` is a model. True: the slack's lane.
override SLACK: bool;

struct Key { value: u32, ranked: bool }

fn ranked_key(segment: u32, pair: u32, half: u32) -> Key {
  let there = 2u * pair + half < segments[segment].count;
  if (SLACK) {
    let p = position(segment, pair, half);
    return Key(slack_key(p), there && is_reservable(p, slots[segments[segment].slot].prefer));
  }
  let tau = f32_subtract(load(segment, work.lane + 1u, pair, half), load(segment, 0u, pair, half));
  return Key(magnitude_key(tau), there);
}

// Whether this lane selects anything in this segment.
fn is_ranked(segment: u32) -> bool {
  let slot = segments[segment].slot;
  let wanted = ((slots[slot].trimmed >> work.lane) & 1u) == 1u;
  return wanted && (SLACK || has_input(segment, work.lane + 1u));
}
