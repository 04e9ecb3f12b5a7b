/** rescale: what trimming took is given back (merging.md sections 4 and 8). Twin of reference/rescale.ts. */
import { LEAST_SUM } from '../reference/rescale';
import type { MagnitudeSums } from './part-types';

export function rescaleFactor({ all, kept }: MagnitudeSums): number {
  return all < LEAST_SUM || kept < LEAST_SUM ? 1 : Math.fround(all / kept);
}
