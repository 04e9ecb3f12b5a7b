// The slack variable: which positions the preferred model loses, and the key that ranks them (merging.md section 6).

// Whether the election drops the preferred model's value here and the slack may give it back: where w_p tau^_p is 0 there is
// nothing to give, and positions with a NaN or an infinity are never given back (merging.md section 8).
fn are_reservable(prefer: u32) -> vec2<bool> {
  let losing = ((select(p_positive, p_negative, elects_positive()) >> vec2(prefer)) & vec2(1u)) == vec2(1u);
  if (!EDGES) { return losing; }
  return losing & (p_nonfinite == vec2(0u)) & !are_nonfinite(p_e);
}
// Radix selection takes the largest keys; the smallest margin |e| comes first here, so the key is its complement.
fn slack_keys() -> vec2<u32> {
  return vec2(MAGNITUDE) - (p_e & vec2(MAGNITUDE));
}
