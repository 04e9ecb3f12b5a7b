/** merge: what is written, in f32 (merging.md sections 4 and 7). Twin of src/cpu/merge.ts. */

/** sum += terms and d += weight where the model agrees; +0 is added to both elsewhere. */
export function addAgreeing(terms: usize, agrees: usize, weight: f32, n: usize, sum: usize, divisor: usize): void {
  const weights = f32x4.splat(weight);
  const zero = i32x4.splat(0);
  for (const end = terms + 4 * n; terms < end; terms += 16, agrees += 16, sum += 16, divisor += 16) {
    const flags = v128.load(agrees);
    v128.store(sum, f32x4.add(v128.load(sum), v128.and(v128.load(terms), i32x4.sub(zero, flags))));
    v128.store(divisor, f32x4.add(v128.load(divisor), f32x4.mul(f32x4.convert_i32x4_s(flags), weights)));
  }
}

/** sum / d where d is not 0. */
export function divide(sum: usize, divisor: usize, n: usize): void {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  for (const end = sum + 4 * n; sum < end; sum += 16, divisor += 16) {
    const d = v128.load(divisor);
    v128.store(sum, f32x4.div(v128.load(sum), v128.bitselect(one, d, f32x4.eq(d, zero))));
  }
}

export function divideByConstant(values: usize, divisor: f32, n: usize): void {
  const d = f32x4.splat(divisor);
  for (const end = values + 4 * n; values < end; values += 16) v128.store(values, f32x4.div(v128.load(values), d));
}

/** base + lambda * tau_m, two f32 operations; the base's own bits where tau_m is 0. */
export function apply(base: usize, tau: usize, lambda: f32, n: usize, merged: usize): void {
  const lambdas = f32x4.splat(lambda);
  const zero = f32x4.splat(0);
  for (const end = base + 4 * n; base < end; base += 16, tau += 16, merged += 16) {
    const from = v128.load(base);
    const by = v128.load(tau);
    const to = f32x4.add(from, f32x4.mul(lambdas, by));
    v128.store(merged, v128.bitselect(to, from, f32x4.ne(by, zero)));
  }
}

/** sum += w * theta, for weighted averaging. */
export function addWeighted(theta: usize, weight: f32, n: usize, sum: usize): void {
  const weights = f32x4.splat(weight);
  for (const end = theta + 4 * n; theta < end; theta += 16, sum += 16) {
    v128.store(sum, f32x4.add(v128.load(sum), f32x4.mul(weights, v128.load(theta))));
  }
}
