/** drop: the values of a task vector that DARE keeps (merging.md section 7). Twin of shaders/lib/keep_drawn.wgsl. */
import type { Slot } from '../merge/backend';
import { drawInto, type Draw } from '../merge/draw';
import type { TaskVector, Trimmed } from './trim';

/**
 * Keeps what the draw of each flat index keeps, and every value that is not finite: it must reach the output (merging.md section
 * 8). `kept` says nothing of a draw, and is that of everything.
 */
export function drop(slot: Slot, { tau, runs }: TaskVector, draw: Draw): Trimmed {
  const mask = new Uint8Array(tau.length);
  for (const { segment, begin, end } of runs) drawInto(draw, segment.first, mask, begin, end);
  return droppedBy(slot, tau, mask);
}

/** As `drop`, for a mask drawn elsewhere: 1 where a value is kept. */
export function droppedBy(slot: Slot, tau: Float32Array, mask: Uint8Array): Trimmed {
  let count = 0;
  for (let p = 0; p < tau.length; p++) {
    if (!Number.isFinite(tau[p]!)) mask[p] = 1;
    count += mask[p]!;
  }
  return { kept: { threshold: 0, cutoff: slot.elements }, count, mask };
}
