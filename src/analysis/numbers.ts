/** Arithmetic on `FigureNumbers`: variances add as counts do. */
import type { FigureNumbers } from '../merge/figures';

export function zeroNumbers(models: number): FigureNumbers {
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

export function addNumbers(a: FigureNumbers, b: FigureNumbers): FigureNumbers {
  const add = (x: readonly number[], y: readonly number[]) => x.map((value, i) => value + y[i]!);
  return {
    conflict: a.conflict + b.conflict,
    between: add(a.between, b.between),
    won: add(a.won, b.won),
    discarded: add(a.discarded, b.discarded),
    nonzero: add(a.nonzero, b.nonzero),
    reserved: a.reserved + b.reserved,
    afterSlack: a.afterSlack + b.afterSlack,
    reservedCost: a.reservedCost + b.reservedCost,
  };
}
