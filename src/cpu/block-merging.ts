/** Merging blocks that are loaded and trimmed, every value finite: two models in one piece (pair-merging.ts) or any number (many.ts). */
import type { Figures } from '../merge/figures';
import type { BlockOps } from './ops';
import type { Reserver } from './slack';

export interface BlockMerging {
  /** Gathers D of the block into the scratch's margin keys and places; returns how many. Only where the preferred model is present. */
  gather(ops: BlockOps, n: number): number;
  /** theta_m into the scratch's `merged`. `at`: where the block begins in the part. Adds to `figures`, but for what `count` adds. */
  merge(ops: BlockOps, at: number, n: number, reserver: Reserver | null, figures: Figures): void;
  /** Adds what was counted over all blocks. */
  count(figures: Figures): void;
}
