/** Counts of one tensor or part of one (merging.md section 5). Summed, never averaged. */
export interface Figures {
  /** N: elements that took part. */
  numel: number;
  /** Per model, in recipe order: K_i, zeros included. */
  kept: number[];
  /** Per model: kept values that are not 0. */
  nonzero: number[];
  /** Positions where at least two kept non-zero task-vector values have opposite signs (before weighting). */
  conflict: number;
  /**
   * Per pair of models (0,1), (0,2), ..., (1,2), ...: positions where both kept non-zero values have opposite signs. With two
   * models this is `conflict`; with more, a position may count for several pairs.
   */
  between: number[];
  /** Per model: conflict positions where it agrees with the elected sign, before reserving. */
  won: number[];
  /** Per model: kept non-zero values the election drops, before reserving. */
  discarded: number[];
  /** Positions given back to the preferred model by the slack variable. */
  reserved: number;
  /** Sum of |w_i tau^_i| of the other models over reserved positions: what the slack costs. f64, not bit-stable across backends. */
  reservedCost: number;
  /** Per input, base first then the models: NaN or infinite values. */
  nonfinite: number[];
  /** Finite merged values that became infinite in the output dtype. */
  overflow: number;
}

export function emptyFigures(models: number): Figures {
  const zeros = () => new Array<number>(models).fill(0);
  return {
    numel: 0,
    kept: zeros(),
    nonzero: zeros(),
    conflict: 0,
    between: new Array<number>((models * (models - 1)) / 2).fill(0),
    won: zeros(),
    discarded: zeros(),
    reserved: 0,
    reservedCost: 0,
    nonfinite: new Array<number>(models + 1).fill(0),
    overflow: 0,
  };
}

/** Adds `part` into `sum`, in place. Both must have the same number of models. */
export function addFigures(sum: Figures, part: Figures): void {
  const add = (into: number[], from: readonly number[]) => {
    for (let i = 0; i < into.length; i++) into[i]! += from[i]!;
  };
  sum.numel += part.numel;
  add(sum.kept, part.kept);
  add(sum.nonzero, part.nonzero);
  sum.conflict += part.conflict;
  add(sum.between, part.between);
  add(sum.won, part.won);
  add(sum.discarded, part.discarded);
  sum.reserved += part.reserved;
  sum.reservedCost += part.reservedCost;
  add(sum.nonfinite, part.nonfinite);
  sum.overflow += part.overflow;
}

export type EventCounts = Pick<Figures, 'conflict' | 'between' | 'won' | 'discarded' | 'nonzero' | 'reserved' | 'reservedCost'>;

/** The counts that are events, as one list; `namedCounts` is the way back. */
export function countsOf({ conflict, between, won, discarded, nonzero, reserved, reservedCost }: EventCounts): number[] {
  return [conflict, ...between, ...won, ...discarded, ...nonzero, reserved, reservedCost];
}

export function namedCounts(counts: readonly number[], models: number): EventCounts {
  let at = 0;
  const take = (count: number) => counts.slice(at, (at += count));
  const [conflict] = take(1);
  const between = take(pairsOf(models).length);
  const [won, discarded, nonzero] = [take(models), take(models), take(models)];
  const [reserved, reservedCost] = take(2);
  return { conflict: conflict!, between, won, discarded, nonzero, reserved: reserved!, reservedCost: reservedCost! };
}

/** Pairs of models in the order of `Figures.between`. */
export function pairsOf(models: number): (readonly [number, number])[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < models; i++) for (let j = i + 1; j < models; j++) pairs.push([i, j]);
  return pairs;
}

/** One number per counted figure; what a sample says of each. `reservedCost` is in magnitude, the others in counts. */
export interface FigureNumbers {
  readonly conflict: number;
  readonly between: readonly number[];
  readonly won: readonly number[];
  readonly discarded: readonly number[];
  readonly nonzero: readonly number[];
  readonly reserved: number;
  /** discarded_p - reserved, p the preferred model: the two move together. */
  readonly afterSlack: number;
  readonly reservedCost: number;
}

/** What a sample tells of the totals of its tensor, from the spread between its blocks (merge/spread.ts). */
export interface FigureSpread {
  /** The tensor's own totals: N and K_i as they are, the others as estimated. */
  readonly totals: Figures;
  /** Variances of the totals. */
  readonly variance: FigureNumbers;
  /**
   * Squared variances over their degrees of freedom. Both add over tensors, and variance squared over this is the degrees of
   * freedom of the sum (Satterthwaite).
   */
  readonly doubt: FigureNumbers;
  /**
   * How much too small `reserved` is on average, being the smaller of s * K_p and of an estimate of |D|: not to be told from a
   * sample where the two are close. Adds over tensors.
   */
  readonly kink: number;
}
