/** Where everything goes: shards, groups, chunks and byte ranges of a plan (architecture.md, idea 1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dtypeBits } from '../../../src/bytes/dtypes';
import type { Checkpoint, TensorEntry } from '../../../src/checkpoint/types';
import { parseIndex } from '../../../src/format/safetensors/index-file';
import { slotBytes } from '../../../src/merge/chunks';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { ByteRange, MergePlan, MergeStep, PlanLimits } from '../../../src/merge/plan-types';
import { checkpointOf } from '../checkpoint/folder';
import { recipeOf } from './family';
import type { Family } from './family';

/** A checkpoint that is only a header, its tensors one after the other in `shards` files. */
function laidOut(id: string, tensors: Readonly<Record<string, readonly number[]>>, shards = 1): Checkpoint {
  const made = checkpointOf(id, tensors);
  const at = new Array<number>(shards).fill(64);
  const entries = made.tensors.map((tensor, i): TensorEntry => {
    const shard = i % shards;
    const begin = at[shard]!;
    at[shard]! += tensor.elements * 2;
    return { ...tensor, shard, begin, end: at[shard]! };
  });
  return { ...made, tensors: entries };
}

const RECIPE = recipeOf({ id: (name: string) => name } as Family, 'ties', 'base', ['x', 'y']);
const planOf = (open: readonly Checkpoint[], limits: PlanLimits, choices = DEFAULT_CHOICES) => planMerge(open, RECIPE, choices, limits, {});
const trio = (tensors: Readonly<Record<string, readonly number[]>>) => ['base', 'x', 'y'].map((id) => laidOut(id, tensors));
const groupsOf = ({ steps }: MergePlan) => steps.filter((step): step is MergeStep => step.kind === 'merge').map(({ group }) => group);

describe('groups', () => {
  // A [64] slot in BF16 takes 64 * 2 * (3 inputs + 1 output) = 512 bytes.
  const four = { a: [64], b: [64], c: [64], d: [64] };
  it('hold neighbours up to chunkBytes', () => {
    const names = (chunkBytes: number) => groupsOf(planOf(trio(four), { chunkBytes, shardBytes: 1e9 })).map(({ slots }) => slots.map(({ name }) => name).join(''));
    expect(names(2048)).toEqual(['abcd']);
    expect(names(2047)).toEqual(['abc', 'd']);
    expect(names(1024)).toEqual(['ab', 'cd']);
    expect(names(1023)).toEqual(['a', 'b', 'c', 'd']);
  });
  it('have one chunk, or one slot larger than chunkBytes in several', () => {
    const groups = groupsOf(planOf(trio({ ...four, e: [3, 4096] }), { chunkBytes: 8 * 4096, shardBytes: 1e9 }));
    expect(groups.map(({ slots, chunks }) => [slots.length, chunks.map((chunk) => chunk.map(({ first, count }) => [first, count]))])).toEqual([
      [4, [[[0, 64], [0, 64], [0, 64], [0, 64]]]],
      [1, [[[0, 4096]], [[4096, 4096]], [[8192, 4096]]]],
    ]);
  });
  it('do not reach over a copied tensor or a shard', () => {
    const open = trio(four);
    const kept = planMerge(open, { ...RECIPE, rules: [{ filter: 'b', action: 'keep-base' }] }, DEFAULT_CHOICES, { chunkBytes: 4096, shardBytes: 1e9 }, {});
    expect(kept.steps.map((step) => (step.kind === 'copy' ? `copy ${step.tensor}` : step.group.slots.map(({ name }) => name).join('')))).toEqual(['a', 'copy b', 'cd']);
    const sharded = planOf(open, { chunkBytes: 4096, shardBytes: 256 });
    expect(sharded.steps.map((step) => [step.shard, step.kind === 'merge' ? step.group.slots.map(({ name }) => name).join('') : ''])).toEqual([[0, 'ab'], [1, 'cd']]);
  });
});

describe('shards', () => {
  const files = (plan: MergePlan) => plan.shards.map(({ file, tensors }) => [file, tensors.map(({ name }) => name).join('')]);
  const tensors = { a: [8], b: [8], c: [40], d: [8] };
  it('are one `model.safetensors` without an index where everything fits', () => {
    const plan = planOf(trio(tensors), { chunkBytes: 4096, shardBytes: 128 });
    expect(files(plan)).toEqual([['model.safetensors', 'abcd']]);
    expect(plan.index).toBeNull();
  });
  it('are filled in order up to shardBytes; a larger tensor has one of its own', () => {
    const plan = planOf(trio(tensors), { chunkBytes: 4096, shardBytes: 32 });
    expect(files(plan)).toEqual([
      ['model-00001-of-00003.safetensors', 'ab'],
      ['model-00002-of-00003.safetensors', 'c'],
      ['model-00003-of-00003.safetensors', 'd'],
    ]);
    const index = new TextEncoder().encode(plan.index!);
    expect([...parseIndex(index, 'i').weightMap]).toEqual([
      ['a', 'model-00001-of-00003.safetensors'],
      ['b', 'model-00001-of-00003.safetensors'],
      ['c', 'model-00002-of-00003.safetensors'],
      ['d', 'model-00003-of-00003.safetensors'],
    ]);
    expect((JSON.parse(plan.index!) as { metadata: unknown }).metadata).toEqual({ total_size: 128 });
  });
  it('follow the order of the base\'s files, and inside that of the writer', () => {
    const base = checkpointOf('base', tensors);
    const reversed = { ...base, tensors: base.tensors.map((tensor, i) => ({ ...tensor, begin: 900 - 100 * i, end: 900 - 100 * i + 2 * tensor.elements })) };
    const plan = planMerge([reversed, ...trio(tensors).slice(1)], RECIPE, DEFAULT_CHOICES, { chunkBytes: 4096, shardBytes: 96 }, {});
    expect(files(plan)).toEqual([['model-00001-of-00002.safetensors', 'cd'], ['model-00002-of-00002.safetensors', 'ab']]);
  });
  it('carry the metadata, and the header counts as written', () => {
    const plan = planMerge(trio(tensors), RECIPE, DEFAULT_CHOICES, { chunkBytes: 4096, shardBytes: 32 }, { recipe: 'r' });
    for (const { header } of plan.shards) expect(new TextDecoder().decode(header.subarray(8))).toMatch(/^\{"__metadata__":\{"format":"pt","recipe":"r"\}/);
    expect(plan.bytesWritten).toBe(128 + plan.shards.reduce((sum, { header }) => sum + header.length, 0));
  });
});

describe('totals', () => {
  it('count every range once, tensors and values', () => {
    const plan = planOf(trio({ a: [64], b: [3, 4096] }), { chunkBytes: 8 * 4096, shardBytes: 1e9 });
    expect([plan.tensors, plan.parameters, plan.bytesRead]).toEqual([2, 12352, 3 * 2 * 12352]);
  });
  it('peak: a group at the backend, what was read of it and of the next one, three pieces of the writer', () => {
    const plan = planOf(trio({ a: [4096], b: [4096] }), { chunkBytes: 8 * 4096, shardBytes: 1e9 });
    // 3 inputs of 8192 bytes of two groups, one of them with its output at the backend as well; the file three times, since it is smaller than a piece.
    expect(plan.peakBytes).toBe((2 * 3 + 4) * 8192 + 3 * plan.bytesWritten);
    const large = planOf(trio({ a: [2 ** 25] }), { chunkBytes: 2 ** 40, shardBytes: 1e9 });
    expect(large.peakBytes - (3 * 2 + 2 + 3 * 2) * 2 ** 25).toBe(3 * 32 * 2 ** 20);
  });
  it('peak: of what is copied one piece is written and one read, beside what is merged', () => {
    const merged = planOf(trio({ a: [4096], b: [4096] }), { chunkBytes: 8 * 4096, shardBytes: 1e9 });
    const keeping = { ...RECIPE, rules: [{ filter: 'norm', action: 'keep-base' as const }] };
    const copied = planMerge(trio({ a: [4096], b: [4096], norm: [1000] }), keeping, DEFAULT_CHOICES, { chunkBytes: 8 * 4096, shardBytes: 1e9 }, {});
    expect(copied.peakBytes - 3 * copied.bytesWritten).toBe(merged.peakBytes - 3 * merged.bytesWritten + 2 * 2000);
  });
});

/** Checkpoints of random shapes and shards, with absent tensors and vocabularies of other sizes. */
const arbitraryTrio = fc
  .record({
    shapes: fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }), { minLength: 1, maxLength: 9 }),
    rows: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })),
    columns: fc.integer({ min: 1, max: 7 }),
    absent: fc.array(fc.nat(8)),
    shards: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  })
  .map(({ shapes, rows, columns, absent, shards }) =>
    ['base', 'x', 'y'].map((id, i) => {
      const named = shapes.map((shape, t): [string, readonly number[]] => [`t${t}`, shape]).filter((_, t) => id === 'base' || !absent.includes(t + 4 * (i - 1)));
      return laidOut(id, Object.fromEntries([...named, ['model.embed_tokens.weight', [rows[i]!, columns]]]), shards[i]!);
    }),
  );
const arbitraryLimits = fc.record({ chunkBytes: fc.integer({ min: 1, max: 800 }), shardBytes: fc.integer({ min: 1, max: 600 }) });

it('covers every byte of the output exactly once, in order, from ranges inside their tensors', () => {
  fc.assert(
    fc.property(arbitraryTrio, arbitraryLimits, fc.boolean(), (open, limits, keepsExtraRows) => {
      const plan = planOf(open, limits, { ...DEFAULT_CHOICES, extraRows: keepsExtraRows ? { from: 'y' } : 'cut' });
      const isInside = ({ checkpoint, shard, begin, end }: ByteRange) =>
        open.find(({ id }) => id === checkpoint)!.tensors.some((tensor) => tensor.shard === shard && tensor.begin <= begin && begin < end && end <= tensor.end);
      expect(plan.refusals).toEqual([]);

      const written = plan.shards.map(() => 0);
      const namesDone: string[] = [];
      const begin = (shard: number, name: string) => {
        namesDone.push(name);
        expect(plan.shards[shard]!.tensors.find((tensor) => tensor.name === name)!.begin).toBe(written[shard]);
      };
      let previous = 0;
      for (const step of plan.steps) {
        expect(step.shard).toBeGreaterThanOrEqual(previous);
        previous = step.shard;
        if (step.kind === 'copy') begin(step.shard, step.tensor);
        const parts = step.kind === 'copy' ? [step.parts] : step.tails;
        if (step.kind === 'merge') {
          const { slots, chunks } = step.group;
          expect(chunks.length === 1 || slots.length === 1).toBe(true);
          expect(slots.length === 1 || slots.reduce((sum, slot) => sum + slotBytes(slot), 0) <= limits.chunkBytes).toBe(true);
          expect(chunks.flat().map(({ slot }) => slot)).toEqual(chunks.flat().map(({ slot }) => slot).sort((a, b) => a - b));
        }
        for (const [s, tail] of parts.entries()) {
          if (step.kind === 'merge') {
            const slot = step.group.slots[s]!;
            begin(step.shard, slot.name);
            let at = 0;
            for (const { first, count, present } of step.group.chunks.flat().filter((segment) => segment.slot === s)) {
              expect(first).toBe(at);
              at += count;
              expect(present.slice(1)).toContain(true);
            }
            expect(at).toBe(slot.elements);
            step.inputs[s]!.forEach((range, input) => {
              expect(range === null).toBe(slot.inputs[input] === null);
              if (!range) return;
              expect(isInside(range)).toBe(true);
              expect((range.end - range.begin) / 2).toBe(input === 0 ? slot.elements : slot.modelElements[input - 1]);
            });
            written[step.shard]! += slot.elements * 2;
          }
          for (const { range, outDtype, dtype } of tail) {
            expect(isInside(range)).toBe(true);
            written[step.shard]! += ((range.end - range.begin) / dtypeBits(dtype)) * dtypeBits(outDtype);
          }
        }
      }
      expect(written).toEqual(plan.shards.map(({ payloadBytes }) => payloadBytes));
      expect(namesDone).toEqual(plan.shards.flatMap(({ tensors }) => tensors.map(({ name }) => name)));
      expect([...namesDone].sort()).toEqual(open[0]!.tensors.map(({ name }) => name).sort());
    }),
    { numRuns: 200 },
  );
});
