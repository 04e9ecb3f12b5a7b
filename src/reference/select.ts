/** select: the one selection that trimming and slack share, on integer keys (architecture.md, ideas 4 and 5). */

export const NAN_KEY = 0x7fffffff;
export const INFINITY_KEY = 0x7f800000;

/** The bits of |value|, which order as unsigned integers; every NaN has the largest key. `bits` are those of an f32. */
export function magnitudeKey(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  return magnitude > INFINITY_KEY ? NAN_KEY : magnitude;
}

export interface Selection {
  /** Key of the last one selected: everything above it is selected. */
  readonly threshold: number;
  /** Position in `keys` of the last one selected among those equal to the threshold; -1 when nothing is. */
  readonly last: number;
}

/**
 * The `count` largest of `keys`, equal ones by lowest position, exactly `count` of them (0 <= count <= keys.length).
 * `ascending` are the same keys, sorted.
 */
export function selectLargest(keys: Uint32Array, ascending: Uint32Array, count: number): Selection {
  if (count === 0) return { threshold: NAN_KEY, last: -1 };
  const first = ascending.length - count;
  const threshold = ascending[first]!;
  let ties = 0;
  while (ascending[first + ties] === threshold) ties++;
  let last = -1;
  for (let found = 0; found < ties; found++) last = keys.indexOf(threshold, last + 1);
  return { threshold, last };
}
