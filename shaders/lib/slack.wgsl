// The slack variable: which positions the preferred model loses, and the key that ranks them (merging.md section 6).

// Whether the election drops the preferred model's value here and the slack may give it back: where w_p tau^_p is 0 there is
// nothing to give, and positions with a NaN or an infinity are never given back (merging.md section 8).
fn is_reservable(p: Position, model: u32) -> bool {
  let losing = p.models[1u - elected_side(p)];
  return ((losing >> model) & 1u) == 1u && p.nonfinite == 0u && !is_nonfinite(p.e);
}
// Radix selection takes the largest keys; the smallest margin |e| comes first here, so the key is its complement.
fn slack_key(p: Position) -> u32 {
  return MAGNITUDE - (p.e & MAGNITUDE);
}
