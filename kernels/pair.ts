/** The common case in one piece: two models under TIES, without slack. Twin of src/cpu/pair.ts. */
import { total } from './keys';

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
