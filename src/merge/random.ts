/** A seeded generator for drawing samples: the same tensor gives the same sample in every session and on every machine. */

/**
 * Integers below a bound, uniform, from mulberry32 seeded with the FNV-1a hash of `text` (32 bits each, public domain). Good
 * enough to place blocks; not for numbers that enter a merge.
 */
export function drawsFor(text: string): (below: number) => number {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return (below) => Math.floor(next() * below);
}
