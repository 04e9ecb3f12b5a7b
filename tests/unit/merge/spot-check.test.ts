/** Values computed again while merging (merging.md section 8): right merges pass whatever the method, one wrong value does not. */
import { describe, expect, it } from 'vitest';
import { decodeToF32, encodeFromF32 } from '../../../src/bytes/floats';
import type { OutputDtype } from '../../../src/bytes/dtypes';
import { createCpuBackend } from '../../../src/cpu/backend';
import type { Backend } from '../../../src/merge/backend';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import type { Recipe } from '../../../src/recipe/types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { recomputeSpots } from '../../../src/reference/spots';
import { familyOf, recipeOf } from './family';
import type { MadeTensors } from './family';
import { MemoryFolder } from './memory-folder';

const reference = createReferenceBackend();
const TENSORS: MadeTensors = { big: [3000], small: [7], ten: [10], ids: { shape: [4], dtype: 'I32' } };

async function merged(backend: Backend, method: Recipe['method'], recipe: Partial<Recipe> = {}, chunkBytes = 1000) {
  const family = await familyOf({ base: TENSORS, x: TENSORS, y: TENSORS });
  const plan = planMerge(family.checkpoints, recipeOf(family, method, 'base', ['x', 'y'], recipe), DEFAULT_CHOICES, { chunkBytes, shardBytes: 1e9 }, {});
  return runMerge(plan, backend, family.openShard, new MemoryFolder(), { recompute: recomputeSpots });
}

/** The reference with one value of `big` moved by `units` in the last place of its dtype. */
function wrongAt(index: number, units: number): Backend {
  return {
    ...reference,
    merge: (group, parameters, read, write, options) =>
      reference.merge(
        group,
        parameters,
        read,
        (segment, bytes) => {
          const { name } = group.slots[segment.slot]!;
          const place = index - segment.first;
          if (name !== 'big' || place < 0 || place >= segment.count) return write(segment, bytes);
          const width = bytes.length / segment.count;
          const words = width === 2 ? new Uint16Array(bytes.buffer, bytes.byteOffset, segment.count) : new Uint32Array(bytes.buffer, bytes.byteOffset, segment.count);
          words[place]! += units;
          return write(segment, bytes);
        },
        options,
      ),
  };
}

describe('a sample computed again', () => {
  it.each(['linear', 'task_arithmetic', 'ties', 'ties_sv', 'dare_linear', 'dare_ties'] as const)('is the same for %s, on either backend and in chunks', async (method) => {
    const drops = method.startsWith('dare') ? { rescale: true, drop: { seed: 5, rescaleBy: 'density' } as const } : {};
    for (const backend of [reference, createCpuBackend()]) {
      for (const chunkBytes of [200, 1e6]) {
        // 16 runs of 16 values of `big`; the small ones whole; `ids` is no merge.
        const { checked } = await merged(backend, method, drops, chunkBytes);
        expect(checked.tensors).toBe(3);
        expect(checked.values).toBeGreaterThan(150);
        expect(checked.values).toBeLessThanOrEqual(256 + 7 + 10);
      }
    }
  });

  it('says nothing of tensors rescaled by their sums, which a sample cannot tell', async () => {
    expect((await merged(reference, 'ties', { rescale: true })).checked).toEqual({ values: 0, tensors: 0 });
  });

  it.each(['BF16', 'F16', 'F32'] as const)('finds a value that is two units off in %s, at either end, and names it', async (outDtype: OutputDtype) => {
    for (const index of [0, 2999]) {
      const failed: unknown = await merged(wrongAt(index, 2), 'ties', { outDtype }).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'internal', reason: 'computed-differs', where: { tensor: 'big', index } });
      const { expected, actual } = (failed as { where: { expected: number; actual: number } }).where;
      const bits = (value: number) => encodeFromF32(Float32Array.of(value), outDtype);
      expect(decodeToF32(bits(expected), outDtype)[0]).toBe(expected);
      expect(actual).not.toBe(expected);
    }
  });

  it('lets pass one unit at as many values as the rule allows a tensor, and no more', async () => {
    const twice = wrongAt(0, 1);
    const both: Backend = {
      ...twice,
      merge: (group, parameters, read, write, options) => {
        const writeBoth: typeof write = (segment, bytes) => {
          if (group.slots[segment.slot]!.name === 'big' && segment.first === 0) new Uint16Array(bytes.buffer, bytes.byteOffset)[1]! += 1;
          return write(segment, bytes);
        };
        return twice.merge(group, parameters, read, writeBoth, options);
      },
    };
    expect((await merged(wrongAt(0, 1), 'ties', { outDtype: 'BF16' })).checked.tensors).toBe(3);
    await expect(merged(both, 'ties', { outDtype: 'BF16' })).rejects.toMatchObject({ reason: 'computed-differs' });
  });
});
