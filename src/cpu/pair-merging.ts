/** Blocks of exactly two models under TIES and TIES-SV. */
import type { Figures } from '../merge/figures';
import type { BlockMerging } from './block-merging';
import type { BlockOps } from './ops';
import { reservePair, type Pair } from './pair';
import type { Scratch } from './scratch';
import type { Reserver } from './slack';

export class PairMerging implements BlockMerging {
  constructor(
    private readonly pair: Pair,
    private readonly prefer: number,
    private readonly scratch: Scratch,
  ) {}

  gather(ops: BlockOps, n: number): number {
    return ops.gatherPairMargins(this.pair, this.prefer, this.scratch, n);
  }

  merge(ops: BlockOps, at: number, n: number, reserver: Reserver | null, figures: Figures): void {
    const { pair, prefer, scratch } = this;
    ops.mergePairBlock(pair, scratch, n);
    if (!reserver) return;
    const given = reserver.reserve(scratch.marginKeys, scratch.marginPlaces, this.gather(ops, n), at);
    figures.reserved += given;
    figures.reservedCost += reservePair(pair, prefer, scratch, given);
  }

  count(figures: Figures): void {
    const { x, y, counts } = this.pair;
    figures.conflict += counts.conflict;
    // Among more models than the two that are here, pairs are in the order (0,1), (0,2), ..., (1,2), ...
    const models = figures.kept.length;
    figures.between[x * models - (x * (x + 1)) / 2 + y - x - 1]! += counts.conflict;
    figures.nonzero[x]! += counts.nonzeroX;
    figures.nonzero[y]! += counts.nonzeroY;
    figures.won[x]! += counts.wonX;
    figures.won[y]! += counts.wonY;
    figures.discarded[x]! += counts.nonzeroX - counts.agreeX;
    figures.discarded[y]! += counts.nonzeroY - counts.agreeY;
  }
}
