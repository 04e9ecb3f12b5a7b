/** Is the base what the models were made from? From distances alone: how checkpoints came about is not in their files. */

/** Squared lengths and distances of checkpoints with equal layers, over the same values (merge/kinship.ts). */
export interface Distances {
  readonly ids: readonly string[];
  readonly norm2: readonly number[];
  readonly distance2: readonly (readonly number[])[];
}

export interface Ancestry {
  /** Per model that is kin of the base: |tau| / |theta_base|. */
  readonly change: readonly { readonly model: string; readonly ratio: number }[];
  /** Per two such models that differ from the base: the cosine of tau_i with tau_j. */
  readonly cosines: readonly { readonly models: readonly [string, string]; readonly cosine: number }[];
  /** Models too far from the base to be made from it. */
  readonly unrelated: readonly string[];
  /** An open checkpoint that the base and the models were made from, as far as one can tell; null when the base may be that itself. */
  readonly better: string | null;
}

/**
 * |tau| / |theta| from which a model is no descendant: half of the square root of 2 that two independent networks of one size are
 * apart. The test family's longest continual pre-training reaches 0.21.
 */
export const UNRELATED = Math.SQRT1_2;

/**
 * When c is the ancestor of both the base b and a model m, their changes have little to do with each other: c - b is orthogonal to
 * m - c, and the share (c - b)(m - b) / |c - b|^2 of c - b that lies in tau_m is near 1. When b is the ancestor itself and c
 * another of its descendants, the share is their cosine times the ratio of their lengths, near 0. Measured on the test family, the
 * matrices of the layers: 0.93 to 1.00 with the SFT model in the place of the base, at most 0.07 between SFT and continual
 * pre-training from the true base, at most 0.29 between two languages. The threshold is half-way. Along a run it is 1.03 to 1.24:
 * an earlier checkpoint of a run is an ancestor of a later one.
 */
export const SHARED = 0.6;

/**
 * Judges `base` for `models` (checkpoint ids) among all kin. Every model other than the candidate has to speak for it. An early
 * checkpoint of a run is as good a candidate as the base it started from: of several, `likely` is named (the base by its name),
 * else the one whose shares are nearest to 1.
 */
export function ancestryOf(kin: readonly Distances[], base: string, models: readonly string[], likely: string | null): Ancestry {
  const own = kin.find(({ ids }) => ids.includes(base));
  if (own === undefined) return { change: [], cosines: [], unrelated: [], better: null };
  const { ids, norm2, distance2 } = own;
  const at = (id: string) => ids.indexOf(id);
  const b = at(base);
  const known = [...new Set(models)].filter((model) => model !== base && at(model) >= 0);
  const change = known.map((model) => ({ model, ratio: norm2[b]! === 0 ? 0 : Math.sqrt(distance2[b]![at(model)]! / norm2[b]!) }));
  // By the cosine rule, as below.
  const cosines = known.flatMap((one, i) =>
    known.slice(i + 1).flatMap((other) => {
      const [own2, other2] = [distance2[b]![at(one)]!, distance2[b]![at(other)]!];
      return own2 === 0 || other2 === 0 ? [] : [{ models: [one, other] as const, cosine: (own2 + other2 - distance2[at(one)]![at(other)]!) / (2 * Math.sqrt(own2 * other2)) }];
    }),
  );

  let better: { id: string; off: number } | null = null;
  for (const [c, id] of ids.entries()) {
    const apart = distance2[b]![c]!;
    const others = known.filter((model) => model !== id);
    if (c === b || apart === 0 || others.length === 0) continue;
    // By the cosine rule: (c - b)(m - b) = (|c - b|^2 + |m - b|^2 - |c - m|^2) / 2.
    const shares = others.map((model) => (apart + distance2[b]![at(model)]! - distance2[c]![at(model)]!) / (2 * apart));
    if (!shares.every((share) => share >= SHARED)) continue;
    const off = id === likely ? 0 : Math.max(...shares.map((share) => Math.abs(share - 1)));
    if (better === null || off < better.off) better = { id, off };
  }
  return { change, cosines, unrelated: change.filter(({ ratio }) => ratio >= UNRELATED).map(({ model }) => model), better: better?.id ?? null };
}
