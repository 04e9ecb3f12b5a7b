/** Rule: issue 4 item 1 - what two groups of a 7B take of the device's budget and of the host's memory, stated before they begin. */
import { describe, expect, it } from 'vitest';
import { deviceBudget } from '../../../src/engine/budget';
import { claimOf, hostBytesOf, spareBytesOf } from '../../../src/engine/claims';
import type { Group } from '../../../src/merge/backend';

const MIB = 2 ** 20;
const ROOMY = { maxBufferSize: 4096 * MIB, maxStorageBufferBindingSize: 2048 * MIB };

/** A tensor of a base and two models in BF16, in as many chunks as `chunkBytes` asks for. */
function tensor(elements: number, chunkBytes: number): Group {
  const chunks = Math.ceil((8 * elements) / chunkBytes);
  const each = Math.ceil(elements / chunks / 8192) * 8192;
  return {
    method: 'ties',
    slots: [{ name: 't', elements, inputs: ['BF16', 'BF16', 'BF16'], modelElements: [elements, elements], outDtype: 'BF16' }],
    chunks: Array.from({ length: chunks }, (_, c) => [{ slot: 0, first: c * each, count: Math.min(each, elements - c * each), present: [true, true, true] }]),
  };
}

describe('claims', () => {
  it.each([
    { software: false, attention: 259, projection: 547, both: 'two projections of a 7B' },
    { software: true, attention: 243, projection: 458, both: 'two attention tensors of a 7B' },
  ])('software $software: the budget holds $both, inputs, lists and results', ({ software, attention, projection }) => {
    const { bytes, chunkBytes, residentBytes } = deviceBudget(ROOMY, { software });
    const claims = [4096 * 4096, 4096 * 11_008].map((elements) => claimOf(tensor(elements, chunkBytes), { residentBytes, listBytes: chunkBytes }));
    expect(claims.map((claim) => Math.round(claim / MIB))).toEqual([attention, projection]);
    const room = bytes - 32 * MIB;
    expect(claims.map((claim) => Math.floor(room / claim))).toEqual(software ? [2, 1] : [4, 2]);
  });

  it('of a tensor that is larger than what stays on the device: what stays, a chunk that passes by, lists and results', () => {
    const { bytes, chunkBytes, residentBytes } = deviceBudget(ROOMY, { software: false });
    const claim = claimOf(tensor(128_256 * 8192, chunkBytes), { residentBytes, listBytes: chunkBytes });
    expect(claim).toBeLessThan(bytes);
    expect(claim).toBeGreaterThan(residentBytes + chunkBytes);
  });

  it('on the host: a share of the input ring, the staging ring, and results twice over, of two chunks where there are several', () => {
    const [spareBytes, concurrency] = [spareBytesOf(384 * MIB), 2];
    expect(hostBytesOf(tensor(4096 * 4096, 128 * MIB), { spareBytes, concurrency })).toBe(64 * MIB + 32 * MIB + 2 * 32 * MIB);
    expect(hostBytesOf(tensor(8 * 4096 * 4096, 128 * MIB), { spareBytes, concurrency })).toBe(64 * MIB + 32 * MIB + 4 * 32 * MIB);
    expect(hostBytesOf(tensor(4096 * 4096, 128 * MIB), { spareBytes, concurrency: 1 })).toBe(128 * MIB + 32 * MIB + 2 * 32 * MIB);
  });
});
