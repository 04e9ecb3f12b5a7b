/** Rule: faults.md row 29 - a group cut finer for want of room is the same merge: bytes, sets, figures, reads and writes in order. */
import { describe, expect, it } from 'vitest';
import { FinerGroup, largestChunk } from '../../../src/engine/finer';
import type { Group, GroupResult, ReadSegment, WriteSegment } from '../../../src/merge/backend';
import type { TensorParameters } from '../../../src/recipe/types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { expectSameResult } from '../../conformance/compare';
import { makeGroup, mergeGroup, readerOf, type SlotCase } from '../../conformance/harness';
import { trainedSlot } from '../../conformance/scenarios';

const PARAMETERS: TensorParameters = { weight: [1, 0.5], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false, slack: { s: 0.3, of: 'discarded', prefer: 0 } };
const slotOf = (elements: number) => trainedSlot(`t${elements}`, elements, ['BF16', 'BF16', 'F32'], 'BF16', PARAMETERS, { kind: 'quantised' });
const whole = (slots: readonly SlotCase[]) => makeGroup('ties_sv', slots, [slots.map(({ elements }, slot) => ({ slot, first: 0, end: elements }))]);
/** Three inputs and the output. */
const BYTES = 2 + 2 + 4 + 2;

/** What a backend that knows nothing of parts makes of them. */
async function inParts(slots: readonly SlotCase[], finer: FinerGroup, read: ReadSegment, write: WriteSegment): Promise<GroupResult> {
  const [from, to] = [finer.reader(read), finer.writer(write)];
  const results: GroupResult[] = [];
  for (const part of finer.parts) {
    const parameters = part.slots.map((s) => slots[s]!.parameters);
    results.push(await createReferenceBackend().merge(part.group, parameters, from, to));
  }
  return finer.result(results);
}

describe('a group cut finer', () => {
  const cases: readonly [string, Group, readonly SlotCase[], number][] = [
    ['one slot in pieces of a block', whole([slotOf(30_001)]), [slotOf(30_001)], 8192 * BYTES],
    ['one slot in pieces of three blocks', whole([slotOf(30_001)]), [slotOf(30_001)], 25_000 * BYTES],
    ['the chunks of a large slot', makeGroup('ties_sv', [slotOf(40_000)], [[{ slot: 0, first: 0, end: 20_000 }], [{ slot: 0, first: 20_000, end: 40_000 }]]), [slotOf(40_000)], 8192 * BYTES],
    ['several slots, one of them too large alone', whole([slotOf(100), slotOf(9001), slotOf(300), slotOf(500)]), [slotOf(100), slotOf(9001), slotOf(300), slotOf(500)], 8192 * BYTES],
  ];

  it.each(cases)('%s: chunks within the limit, the same bytes, sets and figures', async (_, group, slots, chunkBytes) => {
    const finer = new FinerGroup(group, chunkBytes);
    for (const part of finer.parts) expect(largestChunk(part.group)).toBeLessThanOrEqual(chunkBytes);
    expect(largestChunk(group)).toBeGreaterThan(chunkBytes);
    const expected = await mergeGroup(createReferenceBackend(), group, slots);
    const bytes: number[][] = slots.map(() => []);
    const order: unknown[] = [];
    const result = await inParts(slots, finer, readerOf(slots), (segment, written) => {
      order.push(segment);
      bytes[segment.slot]!.push(...written);
      return Promise.resolve();
    });
    expectSameResult(result, expected.result);
    expect(order).toEqual(group.chunks.flat());
    slots.forEach((_slot, s) => expect(Buffer.compare(Uint8Array.from(bytes[s]!), expected.outputs[s]!)).toBe(0));
  });

  it('reads a segment once for all its pieces, in each pass over them', async () => {
    const slots = [slotOf(30_001)];
    const finer = new FinerGroup(whole(slots), 8192 * BYTES);
    const asked: number[] = [];
    const read = finer.reader((segment, input) => {
      asked.push(input);
      return readerOf(slots)(segment, input);
    });
    for (let pass = 0; pass < 2; pass++) for (const chunk of finer.parts[0]!.group.chunks) for (const piece of chunk) for (let input = 0; input < 3; input++) await read(piece, input);
    expect(asked).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('parts take no more slots than asked', () => {
    const slots = [slotOf(10), slotOf(10), slotOf(10), slotOf(10), slotOf(10)];
    expect(new FinerGroup(whole(slots), 1e9, 2).parts.map((part) => part.slots)).toEqual([[0, 1], [2, 3], [4]]);
  });
});
