/** tally: what one slot adds to a ranking over several tensors (merging.md sections 2 and 6). Twin of shaders/tally.wgsl. */
import type { Tally, TallyCounts } from '../merge/tally-types';
import type { Method, TensorParameters } from '../recipe/types';
import type { Pace } from './pace';
import { marginsOf } from './slack';
import { decideSlot, type PreparedSlot } from './slot';

export function emptyTallies(tallies: readonly Tally[]): TallyCounts[] {
  return tallies.map(({ rows, digit }) => ({ counts: new Uint32Array(rows * 2 ** digit.bits), above: new Uint32Array(rows) }));
}

/** Adds the keys of slot `s` to the counts of each tally. */
export async function tallySlot(
  method: Method,
  s: number,
  prepared: PreparedSlot,
  parameters: TensorParameters,
  tallies: readonly Tally[],
  pace: Pace,
  into: readonly TallyCounts[],
): Promise<void> {
  for (const [t, tally] of tallies.entries()) {
    await pace.pause();
    const place = tally.slots[s];
    if (place == null) continue;
    const keys = tally.model === null ? await marginKeys(method, prepared, parameters, tally.prefer, pace) : prepared.vectors[tally.model]?.keys;
    if (keys) countKeys(keys, tally, place, into[t]!);
  }
}

async function marginKeys(method: Method, prepared: PreparedSlot, { slack: _, ...plain }: TensorParameters, prefer: number, pace: Pace) {
  const { weighted, e, gamma, special } = await decideSlot(method, prepared, plain, pace);
  const preferred = weighted[prefer];
  return preferred && gamma ? marginsOf(preferred, e, gamma, special).keys : null;
}

function countKeys(keys: Uint32Array, { digit: { shift, bits } }: Tally, { row, low }: { row: number; low: number }, { counts, above }: TallyCounts): void {
  const bins = 2 ** bits;
  for (const key of keys) {
    if (key < low) continue;
    const bin = Math.floor((key - low) / 2 ** shift);
    if (bin < bins) counts[row * bins + bin]!++;
    else above[row]!++;
  }
}
