/** Rule: issue 4 item 1 - what is lent is no more than an eighth above what a group claims for it, whatever lies free, so that groups whose claims fit have room. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lentSize, Memory, mostLent } from '../../../src/engine/memory';

const MIB = 2 ** 20;
const STORAGE = 128;

/** A device that makes every buffer, and counts the bytes of those that are not destroyed. */
function roomy() {
  const alive = { bytes: 0 };
  const device = {
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(null),
    createBuffer: ({ size }: { size: number }) => {
      alive.bytes += size;
      return { size, destroy: () => (alive.bytes -= size) };
    },
  };
  return { alive, device: device as unknown as GPUDevice };
}

describe('buffers that are lent', () => {
  it('are those that lie free where an eighth more does, and else new ones, for which the free ones make way', async () => {
    const { device, alive } = roomy();
    const memory = new Memory(device, 100 * MIB);
    const large = await memory.borrow('a', 45 * MIB, STORAGE);
    memory.release(large);
    const equal = await memory.borrow('b', 40 * MIB, STORAGE);
    expect(equal).toBe(large);
    memory.release(equal);
    const smaller = await memory.borrow('c', 39 * MIB, STORAGE);
    expect([smaller.size, memory.created, alive.bytes]).toEqual([39 * MIB, 2, 84 * MIB]);
    // The first is in the way now.
    const rest = await memory.borrow('d', 61 * MIB, STORAGE);
    expect([rest.size, alive.bytes, memory.lentBytes]).toEqual([61 * MIB, 100 * MIB, 100 * MIB]);
  });

  it('of any sizes in any order: there is room for whatever fits with an eighth more each', async () => {
    const sizes = fc.array(fc.record({ size: fc.integer({ min: 1, max: 30 * MIB }), until: fc.nat(5) }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, async (asked) => {
        const { device, alive: counted } = roomy();
        const own = new Memory(device, 100 * MIB);
        const lent: { buffer: GPUBuffer; size: number; until: number }[] = [];
        for (const [i, { size, until }] of asked.entries()) {
          for (const one of lent.filter((other) => other.until <= i)) own.release(one.buffer);
          lent.splice(0, lent.length, ...lent.filter((other) => other.until > i));
          if (lent.reduce((sum, one) => sum + mostLent(one.size), mostLent(size)) > 100 * MIB) continue;
          const buffer = await own.borrow('x', size, STORAGE);
          expect(buffer.size).toBeGreaterThanOrEqual(lentSize(size));
          expect(buffer.size).toBeLessThanOrEqual(mostLent(size));
          lent.push({ buffer, size, until: i + until });
        }
        expect(counted.bytes).toBe(own.bytes);
        expect(own.peakBytes).toBeLessThanOrEqual(100 * MIB);
      }),
    );
  });
});
