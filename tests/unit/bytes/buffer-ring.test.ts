/** Buffers that go round: which one is given, what is kept, and who may pass one on. */
import { describe, expect, it } from 'vitest';
import { BufferRing } from '../../../src/bytes/buffer-ring';

const KIB = 1024;

describe('a ring of buffers', () => {
  it('gives what fits best and is no more than an eighth too large, and keeps no more than it may', () => {
    const ring = new BufferRing(400 * KIB);
    const made = [64, 120, 128].map((kib) => ring.take(kib * KIB));
    made.forEach((buffer) => ring.give(buffer));
    expect(ring.take(114 * KIB)).toBe(made[1]);
    expect(ring.take(114 * KIB)).toBe(made[2]);
    // Only the first is left, and too small.
    expect(ring.take(113 * KIB).byteLength).toBe(120 * KIB);
    expect([ring.allocated, ring.reused]).toEqual([4, 2]);
    const large = ring.take(350 * KIB);
    ring.give(made[1]!);
    ring.give(large);
    // The one that lay there longest had to go.
    expect([ring.take(120 * KIB) === made[1], ring.take(320 * KIB) === large]).toEqual([false, true]);
    // Small ones are neither kept nor counted.
    ring.give(new ArrayBuffer(KIB));
    expect([ring.take(KIB).byteLength, ring.allocated]).toEqual([KIB, 6]);
  });

  it('lets as much go as it makes anew, of what has lain longest, but for half of what may lie here', () => {
    const ring = new BufferRing(1000 * KIB);
    const old = [400, 400].map((kib) => ring.take(kib * KIB));
    old.forEach((buffer) => ring.give(buffer));
    for (let i = 0; i < 3; i++) ring.take(100 * KIB);
    // 300 KiB are not yet the first of them.
    expect(ring.take(400 * KIB)).toBe(old[0]);
    ring.give(old[0]!);
    for (let i = 0; i < 8; i++) ring.take(100 * KIB);
    expect([ring.take(400 * KIB) === old[0], ring.take(400 * KIB) === old[1]]).toEqual([true, false]);
  });

  it('never gives an eighth more than was asked for, new or used', () => {
    const ring = new BufferRing(2 ** 30);
    // Every size between two steps, the large ones first: all that lies there is larger than what is asked for.
    for (let bytes = 300 * KIB; bytes >= 64 * KIB; bytes -= 1000) {
      const buffer = ring.take(bytes);
      expect(buffer.byteLength).toBeGreaterThanOrEqual(bytes);
      expect(buffer.byteLength).toBeLessThanOrEqual(1.125 * bytes);
      ring.give(buffer);
    }
    expect(ring.reused).toBeGreaterThan(9 * ring.allocated);
  });

  it('takes back what it lent whole, once, and nothing else', () => {
    const ring = new BufferRing(2 ** 30);
    const buffer = ring.take(100 * KIB);
    const view = ring.lend(buffer, 99 * KIB);
    expect([ring.isWhole(view), ring.isWhole(view.subarray(8)), ring.isWhole(new Uint8Array(buffer))]).toEqual([true, false, false]);
    ring.giveBack(view.subarray(0, 8));
    ring.giveBack(new Uint8Array(128 * KIB));
    expect(ring.take(100 * KIB)).not.toBe(buffer);
    ring.giveBack(view);
    ring.giveBack(view);
    const [again, other] = [ring.take(100 * KIB), ring.take(100 * KIB)];
    expect([again === buffer, other === buffer, ring.isWhole(view)]).toEqual([true, false, false]);
  });

  it('lets go of what lies idle when it is cleared', () => {
    const ring = new BufferRing(2 ** 30);
    const buffer = ring.take(100 * KIB);
    ring.give(buffer);
    ring.clear();
    expect(ring.take(100 * KIB)).not.toBe(buffer);
  });
});
