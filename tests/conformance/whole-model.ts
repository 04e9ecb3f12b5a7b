/**
 * Whole-model scope on a backend, from files to files, against its own definition: the merge of one tensor that is all merged
 * tensors end to end, in UTF-8 byte order of their names (merging.md sections 2 and 6).
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesPerValue } from '../../src/bytes/dtypes';
import { compareUtf8 } from '../../src/bytes/utf8';
import type { Backend } from '../../src/merge/backend';
import { addFigures, emptyFigures, type Figures } from '../../src/merge/figures';
import { planMerge } from '../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../src/merge/plan-types';
import type { MergeStep } from '../../src/merge/plan-types';
import { scanPlan } from '../../src/merge/scan';
import type { Recipe, Scope } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { familyOf, recipeOf, type Family } from '../unit/merge/family';
import { concatenate } from './harness';

export interface WholeModelOptions {
  readonly runs?: number;
  /** Bytes of a chunk: small ones cut the larger tensors. */
  readonly chunkBytes?: number;
}

/** A shape of the family, and of the recipe over it. */
interface Drawn {
  readonly sizes: readonly number[];
  readonly models: number;
  readonly dtype: 'F32' | 'BF16';
  readonly densities: readonly number[];
  readonly slack: number;
  readonly of: 'retained' | 'discarded';
  /** Steps of the values: few make ties of most of them. */
  readonly levels: number;
  readonly seed: number;
}

/** In the file they are in another order than UTF-8's, which is not that of UTF-16 either. */
const NAMES = ['model.layers.1.w', '\u{1F600}.w', '\uFF5E.w', 'model.layers.0.w', 'lm_head', 'a'];

const arbitrary: fc.Arbitrary<Drawn> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: NAMES.length }),
  models: fc.integer({ min: 1, max: 3 }),
  dtype: fc.constantFrom('F32' as const, 'BF16' as const),
  densities: fc.array(fc.constantFrom(0.2, 0.5, 0.01, 1, 0.37), { minLength: 3, maxLength: 3 }),
  slack: fc.constantFrom(0, 0.04, 0.3, 1),
  of: fc.constantFrom('retained' as const, 'discarded' as const),
  levels: fc.constantFrom(2, 6, 2 ** 20),
  seed: fc.integer({ min: 1, max: 2 ** 30 }),
});

export function describeWholeModel(name: string, makeBackend: () => Promise<Backend>, { runs = 40, chunkBytes = 2 ** 11 }: WholeModelOptions = {}): void {
  describe(`whole-model scope on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    it(
      'keeps, gives back, counts and writes what the merge of all tensors end to end does',
      async () => {
        await fc.assert(
          fc.asyncProperty(arbitrary, async (drawn) => {
            const values = valuesOf(drawn);
            const shapes = Object.fromEntries(drawn.sizes.map((size, i) => [NAMES[i]!, size]));
            const inOrder = Object.keys(shapes).sort(compareUtf8);
            const apart = await familyOf(foldersOf(drawn, (folder) => Object.fromEntries(Object.keys(shapes).map((tensor) => [tensor, values(folder, tensor)]))));
            const endToEnd = await familyOf(foldersOf(drawn, (folder) => ({ all: inOrder.flatMap((tensor) => values(folder, tensor)) })));
            const whole = await merged(apart, recipe(apart, drawn, { trim: 'model', slack: 'model' }), backend, chunkBytes);
            const one = await merged(endToEnd, recipe(endToEnd, drawn), createReferenceBackend(), 2 ** 24);
            expect(whole.figures.kept).toEqual(one.figures.kept);
            expect(counts(whole.figures)).toEqual(counts(one.figures));
            expect(whole.figures.reservedCost).toBeCloseTo(one.figures.reservedCost, 6);
            expect(concatenate(inOrder.map((tensor) => whole.tensors.get(tensor)!))).toEqual(one.tensors.get('all'));
          }),
          { numRuns: runs },
        );
      },
    );
  });
}

const counts = ({ reservedCost: _, ...figures }: Figures) => figures;

/** Multiples of 2^-10, which every dtype holds, so that dtypes and orders of summing change nothing. */
function valuesOf({ levels, seed, sizes }: Drawn) {
  const size = new Map(sizes.map((own, i) => [NAMES[i]!, own]));
  return (folder: string, tensor: string): number[] => {
    let state = (seed ^ Math.imul(folder.length * 31 + folder.charCodeAt(folder.length - 1), 2654435761) ^ Math.imul(NAMES.indexOf(tensor) + 1, 40503)) >>> 0;
    return Array.from({ length: size.get(tensor)! }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.round(((state >>> 8) / 2 ** 24 - 0.5) * levels) * 2 ** -10;
    });
  };
}

function foldersOf({ models, dtype }: Drawn, tensors: (folder: string) => Readonly<Record<string, readonly number[]>>) {
  const folders = ['base', ...Array.from({ length: models }, (_, m) => `m${m}`)];
  const made = (folder: string) => Object.fromEntries(Object.entries(tensors(folder)).map(([tensor, values]) => [tensor, { shape: [values.length], dtype, values }]));
  return Object.fromEntries(folders.map((folder) => [folder, made(folder)]));
}

function recipe(family: Family, { models, densities, slack, of }: Drawn, scope?: Scope): Recipe {
  const names = Array.from({ length: models }, (_, m) => `m${m}`);
  const made = recipeOf(family, 'ties_sv', 'base', names, { slack: { s: slack, of, prefer: family.id('m0') }, ...(scope ? { scope } : {}) });
  return { ...made, models: made.models.map((model, m) => ({ ...model, density: densities[m]! })) };
}

async function merged(family: Family, own: Recipe, backend: Backend, chunkBytes: number) {
  const plan = planMerge(family.checkpoints, own, DEFAULT_CHOICES, { chunkBytes, shardBytes: 2 ** 30 }, {});
  const sum = emptyFigures(own.models.length);
  const written = new Map<MergeStep, Uint8Array<ArrayBuffer>[]>();
  await scanPlan(plan, backend, family.openShard, {
    onTensor: (_, __, { figures }) => addFigures(sum, figures),
    write: async (step, bytes) => void written.set(step, [...(written.get(step) ?? []), bytes.slice()]),
  });
  const tensors = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [{ group }, pieces] of written) {
    const bytes = concatenate(pieces);
    let at = 0;
    for (const { name, elements, outDtype } of group.slots) tensors.set(name, bytes.slice(at, (at += elements * bytesPerValue(outDtype))));
  }
  return { figures: sum, tensors };
}
