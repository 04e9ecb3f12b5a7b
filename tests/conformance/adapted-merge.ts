/**
 * An adapter on its base, and rows matched by token, through a whole merge ranked over the model: what comes out is what comes out
 * of the same values laid out plainly (merging.md sections 2, 6 and 10; AdaptRequest).
 */
import { describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../src/bytes/floats';
import type { Vocabulary } from '../../src/checkpoint/types';
import type { Backend } from '../../src/merge/backend';
import { addFigures, emptyFigures } from '../../src/merge/figures';
import { planMerge } from '../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../src/merge/plan-types';
import { scanPlan } from '../../src/merge/scan';
import { createReferenceBackend } from '../../src/reference/backend';
import { bytesOfTensor, fileOf, openFamily, recipeOf, type Family, type MadeTensor } from '../unit/merge/family';
import { concatenate } from './harness';

const RANK = 3;
const COLUMNS = 10;
const SHAPES = { 'lm_head.weight': [12, COLUMNS], 'model.embed_tokens.weight': [12, COLUMNS], 'model.layers.0.mlp.up_proj.weight': [37, COLUMNS], 'model.norm.weight': [COLUMNS] };
const ADAPTED = ['model.embed_tokens.weight', 'model.layers.0.mlp.up_proj.weight'] as const;
const CONFIG = { peft_type: 'LORA', r: RANK, lora_alpha: 2 * RANK };
const TOKENS = [...'abcdefghijkl'];
/** The tokens of the CT model: in another order, without c and h, with one of its own. */
const MOVED = [...'lkjizdefgba'];

const valuesOf = (owner: string, name: string, shape: readonly number[]): number[] => [...decodeToF32(bytesOfTensor(owner, name, { shape }), 'BF16')];
const plain = (owner: string) => Object.fromEntries(Object.entries(SHAPES).map(([name, shape]): [string, MadeTensor] => [name, { shape, values: valuesOf(owner, name, shape) }]));
const vocabulary = (tokens: readonly string[]): Vocabulary => ({ tokens, rows: new Map(tokens.map((token, id) => [token, id])) });

/** The factors of one tensor, P rows x rank and Q rank x columns, large enough to move values of a few thousandths. */
function factorsOf(name: string, rows: number) {
  const large = (part: string, shape: readonly number[]) => valuesOf('adapter', `${name}/${part}`, shape).map((value) => 8 * value);
  return { left: large('left', [rows, RANK]), right: large('right', [RANK, COLUMNS]) };
}

function adapterFile(): Uint8Array<ArrayBuffer> {
  const factors = ADAPTED.flatMap((name): [string, MadeTensor][] => {
    const rows = SHAPES[name][0]!;
    const { left, right } = factorsOf(name, rows);
    const module = `base_model.model.${name.replace(/\.weight$/, '')}`;
    if (!name.includes('embed')) {
      return [[`${module}.lora_A.weight`, { shape: [RANK, COLUMNS], dtype: 'F32', values: right }], [`${module}.lora_B.weight`, { shape: [rows, RANK], dtype: 'F32', values: left }]];
    }
    // Of an embedding PEFT keeps rank x rows and columns x rank.
    const turned = (values: readonly number[], rows: number, columns: number) => Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
    return [[`${module}.lora_embedding_A`, { shape: [RANK, rows], dtype: 'F32', values: turned(left, rows, RANK) }], [`${module}.lora_embedding_B`, { shape: [COLUMNS, RANK], dtype: 'F32', values: turned(right, RANK, COLUMNS) }]];
  });
  return fileOf('sft', Object.fromEntries(factors));
}

/** The tensors an adapter makes of the base, formed by the oracle. */
async function formed(): Promise<Record<string, MadeTensor>> {
  const made: Record<string, MadeTensor> = plain('base');
  for (const name of ADAPTED) {
    const shape = SHAPES[name];
    const { left, right } = factorsOf(name, shape[0]!);
    const request = { base: bytesOfTensor('base', name, { shape }), dtype: 'BF16' as const, first: 0, columns: COLUMNS, rank: RANK, scale: 2, left: Float32Array.from(left), right: Float32Array.from(right) };
    made[name] = { shape, dtype: 'F32', values: [...new Float32Array((await createReferenceBackend().adapt(request)).buffer)] };
  }
  return made;
}

/** A CT model with rows in the order of `tokens`; `sorted`: the same rows where the base has them, rows it lacks as the base has them. */
function ct(sorted: boolean): Record<string, MadeTensor> {
  const made: Record<string, MadeTensor> = plain('ct');
  for (const name of ['lm_head.weight', 'model.embed_tokens.weight'] as const) {
    const [own, base] = [valuesOf('ct', name, [MOVED.length, COLUMNS]), valuesOf('base', name, SHAPES[name])];
    const row = (values: readonly number[], at: number) => values.slice(at * COLUMNS, (at + 1) * COLUMNS);
    const values = TOKENS.flatMap((token, at) => (MOVED.includes(token) ? row(own, MOVED.indexOf(token)) : row(base, at)));
    made[name] = sorted ? { shape: SHAPES[name], values } : { shape: [MOVED.length, COLUMNS], values: own };
  }
  return made;
}

async function merged(family: Family, models: readonly string[], backend: Backend, chunkBytes: number) {
  const open = family.checkpoints.map((one) => (one.adapter ? one : { ...one, vocabulary: vocabulary(one.name === 'ct' ? MOVED : TOKENS) }));
  const recipe = recipeOf(family, 'ties_sv', 'base', models, { scope: { trim: 'model', slack: 'model' }, slack: { s: 0.2, of: 'discarded', prefer: family.id(models[0]!) }, outDtype: 'F32' });
  const plan = planMerge(open, { ...recipe, models: recipe.models.map((model, i) => ({ ...model, density: [0.4, 1][i]! })) }, DEFAULT_CHOICES, { chunkBytes, shardBytes: 1e9 }, {});
  const sum = emptyFigures(2);
  const written: Uint8Array<ArrayBuffer>[] = [];
  await scanPlan(plan, backend, family.openShard, {
    onTensor: (_, __, { figures }) => addFigures(sum, figures),
    write: async (_, bytes) => void written.push(new Uint8Array(bytes)),
  });
  return { figures: sum, bytes: concatenate(written) };
}

/** @param chunks bytes of a chunk, of one merge after the other: small ones cut inside rows */
export function describeAdaptedMerge(name: string, make: () => Promise<Backend> | Backend, chunks: readonly number[] = [2 ** 20, 2 ** 10]): void {
  describe(`adapters in a merge ranked over the whole model on ${name}`, () => {
    it('give what the same values in a checkpoint give; rows matched by token too, in whatever pieces they are read', async () => {
      const config = new TextEncoder().encode(JSON.stringify(CONFIG));
      const family = await openFamily(
        new Map([
          ['base/model.safetensors', fileOf('base', plain('base'))],
          ['sft/adapter_model.safetensors', adapterFile()],
          ['sft/adapter_config.json', new Uint8Array(config)],
          ['sft-formed/model.safetensors', fileOf('sft-formed', await formed())],
          ['ct/model.safetensors', fileOf('ct', ct(false))],
          ['ct-sorted/model.safetensors', fileOf('ct-sorted', ct(true))],
        ]),
      );
      const expected = await merged(family, ['sft-formed', 'ct'], createReferenceBackend(), 2 ** 20);
      expect(expected.figures.discarded[0]).toBeGreaterThan(0);
      expect(expected.figures.reserved).toBeGreaterThan(0);
      const backend = await make();
      for (const chunkBytes of chunks) {
        const actual = await merged(family, ['sft', 'ct'], backend, chunkBytes);
        expect(actual.figures.kept).toEqual(expected.figures.kept);
        expect({ ...actual.figures, reservedCost: 0 }).toEqual({ ...expected.figures, reservedCost: 0 });
        expect(actual.bytes).toEqual(expected.bytes);
      }
      // Rows the CT model lacks have a task vector of zeros where they are laid out: nothing more is kept of them, and nothing merged.
      const sorted = await merged(family, ['sft', 'ct-sorted'], createReferenceBackend(), 2 ** 20);
      expect(sorted.bytes).toEqual(expected.bytes);
      expect(sorted.figures.nonzero).toEqual(expected.figures.nonzero);
      backend.dispose();
    });
  });
}
