/** Blocks of any number of models under any method, loop by loop: what pair.ts does for two in one piece. */
import type { Figures } from '../merge/figures';
import { traitsOf } from '../recipe/methods';
import type { Method } from '../recipe/types';
import { LEAST_DIVISOR } from '../reference/merge';
import type { BlockMerging } from './block-merging';
import { countBlock, countReserved } from './figures';
import type { BlockOps } from './ops';
import type { Decision } from './part-types';
import type { Lane, Scratch } from './scratch';
import type { Reserver } from './slack';

export class ManyMerging implements BlockMerging {
  private readonly elects: boolean;
  /** Whether the values themselves are summed, not task vectors. */
  private readonly ofValues: boolean;
  private readonly constant: number;

  constructor(
    method: Method,
    private readonly present: readonly number[],
    private readonly decision: Decision,
    private readonly scratch: Scratch,
  ) {
    this.elects = traitsOf(method).elects;
    this.ofValues = traitsOf(method).of === 'values';
    this.constant = this.constantDivisor(decision);
  }

  gather(ops: BlockOps, n: number): number {
    this.weighAndSum(ops, n);
    return this.gatherElected(ops, n);
  }

  merge(ops: BlockOps, at: number, n: number, reserver: Reserver | null, figures: Figures): void {
    this.weighAndSum(ops, n);
    countBlock(ops, this.scratch, this.present, this.elects, n, figures);
    if (reserver) this.giveBack(ops, reserver, at, n, figures);
    this.combine(ops, n);
  }

  count(): void {
    // Every block is counted as it is merged.
  }

  /** w_i * tau^_i, their sum, and where methods elect: the sign and who agrees. */
  private weighAndSum(ops: BlockOps, n: number): void {
    const { scratch } = this;
    const { weights, factors } = this.decision;
    if (this.ofValues) return;
    scratch.e.bits.fill(0, 0, n);
    for (const model of this.present) {
      const term = scratch.term(model);
      ops.weighBlock(scratch.tau(model).f32, factors[model]!, weights[model]!, n, term.f32);
      ops.addTerms(scratch.e.f32, term.f32, n);
    }
    if (!this.elects) return;
    ops.electBlock(scratch.e.bits, n, scratch.negative);
    for (const model of this.present) ops.agreeBlock(scratch.term(model).bits, scratch.negative, n, scratch.agrees(model));
  }

  private gatherElected(ops: BlockOps, n: number): number {
    const { scratch } = this;
    const { prefer } = this.decision;
    return ops.gatherMargins(scratch.term(prefer).bits, scratch.agrees(prefer), scratch.e.bits, n, scratch.marginKeys, scratch.marginPlaces);
  }

  /** Turns the elected sign where positions are given back, and counts what that costs. */
  private giveBack(ops: BlockOps, reserver: Reserver, at: number, n: number, figures: Figures): void {
    const { scratch, present } = this;
    const given = reserver.reserve(scratch.marginKeys, scratch.marginPlaces, this.gatherElected(ops, n), at);
    if (given === 0) return;
    figures.reserved += given;
    const terms = present.map((model) => scratch.term(model).f32);
    const agrees = present.map((model) => scratch.agrees(model));
    figures.reservedCost += countReserved(terms, agrees, scratch.marginPlaces, given);
    for (let k = 0; k < given; k++) scratch.negative[scratch.marginPlaces[k]!]! ^= 1;
    for (const model of present) ops.agreeBlock(scratch.term(model).bits, scratch.negative, n, scratch.agrees(model));
  }

  /** What every value of the part is divided by; 1 where the divisor depends on who agrees. */
  private constantDivisor({ weights, normalize }: Decision): number {
    if (this.elects || !normalize) return 1;
    const total = this.present.reduce((sum, model) => Math.fround(sum + weights[model]!), 0);
    if (this.ofValues) return total === 0 ? 1 : total;
    return Math.abs(total) < LEAST_DIVISOR ? 1 : total;
  }

  /** theta_m of the block. */
  private combine(ops: BlockOps, n: number): void {
    const { scratch, present, constant } = this;
    const { weights, normalize, lambda } = this.decision;
    const { sum, divisor, e, merged, base } = scratch;
    if (this.ofValues) {
      const into: Lane = present.length === 0 ? base : sum;
      if (into === sum) sum.bits.fill(0, 0, n);
      for (const model of present) ops.addWeighted(scratch.term(model).f32, weights[model]!, n, sum.f32);
      if (present.length > 0 && constant !== 1) ops.divideByConstant(sum.f32, constant, n);
      merged.bits.set(into.bits.subarray(0, n));
      return;
    }
    if (!this.elects) {
      if (constant !== 1) ops.divideByConstant(e.f32, constant, n);
      ops.applyBlock(base, e, lambda, n, merged);
      return;
    }
    sum.bits.fill(0, 0, n);
    divisor.bits.fill(0, 0, n);
    for (const model of present) {
      ops.addAgreeing(scratch.term(model).bits, scratch.agrees(model), merged, weights[model]!, n, sum.f32, divisor.f32);
    }
    if (normalize) ops.divideBlock(sum.f32, divisor.f32, n);
    ops.applyBlock(base, sum, lambda, n, merged);
  }
}
