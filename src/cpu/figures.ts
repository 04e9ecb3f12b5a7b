/** Figures of a block of any number of models (merging.md section 5), from what trimming and electing left in the scratch. */
import type { Figures } from '../merge/figures';
import type { BlockOps } from './ops';
import type { Scratch } from './scratch';

/** Adds counts before reserving; `kept` is counted by trimming. Finite values only. */
export function countBlock(ops: BlockOps, scratch: Scratch, present: readonly number[], elects: boolean, n: number, figures: Figures): void {
  const { positives, negatives, conflict } = scratch;
  positives.fill(0, 0, n);
  negatives.fill(0, 0, n);
  for (const model of present) ops.addSigns(scratch.tau(model).bits, n, positives, negatives);
  figures.conflict += ops.conflictBlock(positives, negatives, n, conflict);
  for (const model of present) {
    const nonzero = ops.countNonzero(scratch.tau(model).bits, n);
    figures.nonzero[model]! += nonzero;
    if (!elects) continue;
    figures.won[model]! += ops.countBoth(scratch.agrees(model), conflict, n);
    figures.discarded[model]! += nonzero - ops.countOnes(scratch.agrees(model), n);
  }
  let pair = 0;
  const models = figures.kept.length;
  for (let i = 0; i < models; i++) {
    for (let j = i + 1; j < models; j++, pair++) {
      if (present.includes(i) && present.includes(j)) figures.between[pair]! += ops.countOpposite(scratch.tau(i).bits, scratch.tau(j).bits, n);
    }
  }
}

/** Sum of |w_i tau^_i| over the first `given` places, of the models that had won there. */
export function countReserved(terms: readonly Float32Array[], agrees: readonly Int32Array[], places: Int32Array, given: number): number {
  let cost = 0;
  for (const [m, values] of terms.entries()) {
    const winners = agrees[m]!;
    for (let k = 0; k < given; k++) cost += winners[places[k]!]! * Math.abs(values[places[k]!]!);
  }
  return cost;
}
