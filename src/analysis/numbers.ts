/** Arithmetic on `FigureNumbers`: variances add as counts do. */
import type { FigureNumbers } from '../merge/figures';

type Numbers = { -readonly [K in keyof FigureNumbers]: FigureNumbers[K] extends number ? number : number[] };

export function zeroNumbers(models: number): Numbers {
  const zeros = () => new Array<number>(models).fill(0);
  return {
    conflict: 0,
    between: new Array<number>((models * (models - 1)) / 2).fill(0),
    won: zeros(),
    discarded: zeros(),
    nonzero: zeros(),
    reserved: 0,
    afterSlack: 0,
    reservedCost: 0,
  };
}

/** Adds `part` into `sum`, in place: a slider sums thousands of these per answer. Both must have the same number of models. */
export function addNumbers(sum: Numbers, part: FigureNumbers): void {
  const add = (into: number[], from: readonly number[]) => {
    for (let i = 0; i < into.length; i++) into[i]! += from[i]!;
  };
  sum.conflict += part.conflict;
  add(sum.between, part.between);
  add(sum.won, part.won);
  add(sum.discarded, part.discarded);
  add(sum.nonzero, part.nonzero);
  sum.reserved += part.reserved;
  sum.afterSlack += part.afterSlack;
  sum.reservedCost += part.reservedCost;
}
