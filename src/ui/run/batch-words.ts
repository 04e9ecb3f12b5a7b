/** A batch in words, before and after. */
import type { BatchPlanSummary } from '../../worker/protocol';
import { formatBytes, plural } from '../format';

/** `36 merges, 486 GB written. The inputs, 40.4 GB, are read once for all of them. ...` */
export function batchWords({ folders, bytesWritten, bytesRead, bytesTooLarge, peakBytes, waves }: BatchPlanSummary, isPrivate: boolean): string {
  const reading =
    waves.length === 1
      ? bytesTooLarge === 0
        ? `The inputs, ${formatBytes(bytesRead)}, are read once for all of them`
        : `Reads ${formatBytes(bytesRead)}: the inputs once for all of them, except ${formatBytes(bytesTooLarge)} in tensors too large to be kept, which each merge reads for itself`
      : waves.every((merges) => merges === 1)
        ? `Reads ${formatBytes(bytesRead)}: one merge after the other, each reading its inputs`
        : `Reads ${formatBytes(bytesRead)} in ${waves.length} rounds (${waves.join(', ')} merges): each round reads its inputs once`;
  const room = isPrivate ? 'The browser says when its storage is full' : 'A page cannot see how much room a disk has';
  return `${plural(folders, 'merge')}, ${formatBytes(bytesWritten)} written. ${reading}; at most ${formatBytes(peakBytes)} of memory. ${room}: ${formatBytes(bytesWritten)} must be free.`;
}
