/** slack: positions given back to the preferred model (merging.md section 6). Twin of shaders/lib/slack.wgsl. */
import { reservedOf, type Kept } from '../merge/backend';
import type { TensorParameters } from '../recipe/types';
import type { Run } from './decode';
import { agrees } from './elect';
import { magnitudeKey, NAN_KEY, selectLargest } from './select';

export interface Reserved {
  /** On |e|: reserved where key < threshold, or key == threshold and index < cutoff. */
  readonly selection: Kept;
  /** As the slot's arrays: 1 where the position is given back. */
  readonly mask: Uint8Array;
}

/**
 * Reserves the first R = min(trunc(s * M), |D|) of the preferred model's discarded positions D, by |e| ascending, equal
 * ones by lowest flat index. Positions that hold a NaN or an infinity are never reserved (section 8), nor are those where
 * w_p * tau^_p is 0: there is nothing to give back. Neither is in D.
 *
 * @param retained M for `of: retained`: the values that the preferred model keeps
 * @param weighted w_p * tau^_p of the preferred model
 * @param special where it is not 0 some value is not finite
 */
export function reserve(
  slack: NonNullable<TensorParameters['slack']>,
  runs: readonly Run[],
  retained: number,
  weighted: Float32Array,
  e: Float32Array<ArrayBuffer>,
  gamma: Int8Array,
  special: Float32Array | null,
): Reserved {
  const mask = new Uint8Array(e.length);
  const { positions, keys } = marginsOf(weighted, e, gamma, special);
  const count = reservedOf(slack, retained, positions.length);
  const { threshold, last } = selectLargest(keys, keys.slice().sort(), count);
  positions.forEach((p, k) => {
    if (keys[k]! > threshold || (keys[k] === threshold && k <= last)) mask[p] = 1;
  });
  const cutoff = last < 0 ? 0 : flatIndex(runs, positions[last]!) + 1;
  return { selection: { threshold: NAN_KEY - threshold, cutoff }, mask };
}

/**
 * D and its keys, by position. The smallest margins are the largest complements, so that the selection is that of trimming.
 * Arguments as of `reserve`.
 */
export function marginsOf(weighted: Float32Array, e: Float32Array<ArrayBuffer>, gamma: Int8Array, special: Float32Array | null) {
  const positions: number[] = [];
  for (let p = 0; p < e.length; p++) {
    if (weighted[p] === 0 || agrees(weighted[p]!, gamma[p]!)) continue;
    if ((special !== null && special[p] !== 0) || !Number.isFinite(e[p]!)) continue;
    positions.push(p);
  }
  const bits = new Uint32Array(e.buffer);
  return { positions, keys: Uint32Array.from(positions, (p) => NAN_KEY - magnitudeKey(bits[p]!)) };
}

/** gamma with the sign of the preferred model's value at reserved positions. */
export function giveBack(gamma: Int8Array, reserved: Uint8Array): Int8Array {
  // The preferred model disagrees there and its value is not 0, so its sign is the other one.
  return gamma.map((sign, p) => (reserved[p] === 1 ? -sign : sign));
}

function flatIndex(runs: readonly Run[], position: number): number {
  const run = runs.find(({ end }) => position < end)!;
  return run.segment.first + position - run.begin;
}
