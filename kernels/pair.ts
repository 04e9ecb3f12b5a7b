/** The common case in one piece: two models under TIES, with or without slack. Twin of src/cpu/pair.ts. */
import { INFINITY_KEY, MAGNITUDE, NAN_KEY, total } from './keys';
import { pack } from './pack';

/**
 * theta_m in f32 of `n` values, trimmed and finite, into `merged`. `counts` receives seven i32: conflict, nonzero of both, agreeing
 * of both, won by both. Divisors are by who agrees: the first alone, the second alone, both; none of them 0.
 */
export function mergePair(
  base: usize,
  tauX: usize,
  tauY: usize,
  n: usize,
  factorX: f32,
  factorY: f32,
  weightX: f32,
  weightY: f32,
  divisorX: f32,
  divisorY: f32,
  divisorBoth: f32,
  lambda: f32,
  merged: usize,
  counts: usize,
): void {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const factorsX = f32x4.splat(factorX);
  const factorsY = f32x4.splat(factorY);
  const weightsX = f32x4.splat(weightX);
  const weightsY = f32x4.splat(weightY);
  const divisorsX = f32x4.splat(divisorX);
  const divisorsY = f32x4.splat(divisorY);
  const divisorsBoth = f32x4.splat(divisorBoth);
  const lambdas = f32x4.splat(lambda);
  let conflict = i32x4.splat(0);
  let nonzeroX = i32x4.splat(0);
  let nonzeroY = i32x4.splat(0);
  let agreedX = i32x4.splat(0);
  let agreedY = i32x4.splat(0);
  let wonX = i32x4.splat(0);
  let wonY = i32x4.splat(0);
  for (const end = base + 4 * n; base < end; base += 16, tauX += 16, tauY += 16, merged += 16) {
    const tx = v128.load(tauX);
    const ty = v128.load(tauY);
    const x = f32x4.mul(f32x4.mul(tx, factorsX), weightsX);
    const y = f32x4.mul(f32x4.mul(ty, factorsY), weightsY);
    // e, from +0 as every sum is: never -0.
    const e = f32x4.add(f32x4.add(zero, x), y);
    const hasX = f32x4.ne(tx, zero);
    const hasY = f32x4.ne(ty, zero);
    const clash = v128.and(v128.and(hasX, hasY), i32x4.shr_s(v128.xor(tx, ty), 31));
    const withX = v128.andnot(f32x4.ne(x, zero), i32x4.shr_s(v128.xor(x, e), 31));
    const withY = v128.andnot(f32x4.ne(y, zero), i32x4.shr_s(v128.xor(y, e), 31));
    nonzeroX = i32x4.sub(nonzeroX, hasX);
    nonzeroY = i32x4.sub(nonzeroY, hasY);
    conflict = i32x4.sub(conflict, clash);
    agreedX = i32x4.sub(agreedX, withX);
    agreedY = i32x4.sub(agreedY, withY);
    wonX = i32x4.sub(wonX, v128.and(clash, withX));
    wonY = i32x4.sub(wonY, v128.and(clash, withY));
    const sum = f32x4.add(v128.and(x, withX), v128.and(y, withY));
    const alone = v128.bitselect(divisorsX, v128.bitselect(divisorsY, one, withY), withX);
    const tau = f32x4.div(sum, v128.bitselect(divisorsBoth, alone, v128.and(withX, withY)));
    const from = v128.load(base);
    const to = f32x4.add(from, f32x4.mul(lambdas, tau));
    v128.store(merged, v128.bitselect(to, from, f32x4.ne(tau, zero)));
  }
  store<i32>(counts, total(conflict));
  store<i32>(counts, total(nonzeroX), 4);
  store<i32>(counts, total(nonzeroY), 8);
  store<i32>(counts, total(agreedX), 12);
  store<i32>(counts, total(agreedY), 16);
  store<i32>(counts, total(wonX), 20);
  store<i32>(counts, total(wonY), 24);
}

/** D of a block of two models, `own` being the preferred one's: keys and places as of `gatherMargins`. Returns how many. */
export function gatherPairMargins(
  own: usize,
  other: usize,
  n: usize,
  factor: f32,
  weight: f32,
  otherFactor: f32,
  otherWeight: f32,
  keys: usize,
  places: usize,
): i32 {
  const zero = f32x4.splat(0);
  const factors = f32x4.splat(factor);
  const weights = f32x4.splat(weight);
  const otherFactors = f32x4.splat(otherFactor);
  const otherWeights = f32x4.splat(otherWeight);
  const magnitude = i32x4.splat(MAGNITUDE);
  const infinity = i32x4.splat(INFINITY_KEY);
  const complement = i32x4.splat(NAN_KEY);
  const step = i32x4.splat(4);
  const from = keys;
  let place = i32x4(0, 1, 2, 3);
  for (const end = own + 4 * n; own < end; own += 16, other += 16) {
    const x = f32x4.mul(f32x4.mul(v128.load(own), factors), weights);
    const y = f32x4.mul(f32x4.mul(v128.load(other), otherFactors), otherWeights);
    // Of two terms the order does not matter: neither sum is -0.
    const e = f32x4.add(f32x4.add(zero, x), y);
    const margin = v128.and(e, magnitude);
    const dropped = v128.and(f32x4.ne(x, zero), i32x4.shr_s(v128.xor(x, e), 31));
    const lanes = i32x4.bitmask(v128.and(dropped, i32x4.lt_s(margin, infinity)));
    pack(i32x4.sub(complement, margin), lanes, keys);
    pack(place, lanes, places);
    const found = 4 * (popcnt(lanes) as usize);
    keys += found;
    places += found;
    place = i32x4.add(place, step);
  }
  return ((keys - from) >> 2) as i32;
}
