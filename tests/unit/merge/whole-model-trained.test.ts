/** Whole-model scope over tensors of the trained sample family, against the independent merger of the end-to-end tests on all tensors end to end. */
import { expect, it } from 'vitest';
import { sampleTensors } from '../../../e2e/support/family';
import { mergeTies } from '../../../e2e/support/merge';
import { namesInOrder, writeSafetensors, type Tensor, type Tensors } from '../../../e2e/support/safetensors';
import { MemorySource } from '../../../src/bytes/source';
import { createCpuBackend } from '../../../src/cpu/backend';
import { readHeader } from '../../../src/format/safetensors/header';
import { addFigures, emptyFigures } from '../../../src/merge/figures';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { openFamily, recipeOf } from './family';
import { join, MemoryFolder } from './memory-folder';

const NAMES = ['base', 'sft', 'ct-x-4M'];
/** Two layers and the norms: the independent merger sorts with a comparison a value. */
const WANTED = /layers\.[01]\.|norm/;

/** One tensor of all, in the byte order of the names. */
function endToEnd(tensors: Tensors): Map<string, Tensor> {
  const all = namesInOrder(tensors).map((name) => tensors.get(name)!);
  const bytes = join(all.map((tensor) => tensor.bytes as Uint8Array<ArrayBuffer>));
  return new Map([['all', { dtype: all[0]!.dtype, shape: [bytes.length / 2], bytes }]]);
}

it('keeps, reserves and writes what an independent merge of one long tensor does', async () => {
  const path = (name: string) => `${name}/model.safetensors`;
  const picked = await Promise.all(NAMES.map(async (name) => [...(await sampleTensors(name))].filter(([tensor]) => WANTED.test(tensor))));
  const sources = picked.map((tensors) => new Map(tensors));
  const family = await openFamily(new Map(sources.map((tensors, i) => [path(NAMES[i]!), writeSafetensors(tensors)])));
  const made = recipeOf(family, 'ties_sv', 'base', ['sft', 'ct-x-4M'], { slack: { s: 0.04, of: 'retained', prefer: family.id('sft') }, scope: { trim: 'model', slack: 'model' } });
  const recipe = { ...made, models: made.models.map((model, i) => ({ ...model, density: [0.2, 0.6][i]! })) };
  const plan = planMerge(family.checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: 2 ** 20, shardBytes: 2 ** 30 }, {});
  const folder = new MemoryFolder();
  const { figures } = await runMerge(plan, createCpuBackend(), family.openShard, folder, {});

  const [base, sft, ct] = sources.map(endToEnd);
  const models = [{ tensors: sft!, density: 0.2, weight: 1 }, { tensors: ct!, density: 0.6, weight: 1 }];
  const expected = mergeTies(base!, models, { lambda: 1, slack: 0.04, out: 'BF16' });

  const sum = emptyFigures(2);
  for (const slot of figures.values()) addFigures(sum, slot.figures);
  const { kept, conflict, discarded, reserved } = sum;
  expect({ kept, conflict, discarded, reserved }).toEqual(expected.counts);
  const file = folder.files.get('model.safetensors')!;
  const { tensors } = await readHeader(new MemorySource('model.safetensors', file));
  const written = new Map(tensors.map(({ name, begin, end }) => [name, file.slice(begin, end)]));
  expect(join(namesInOrder(sources[0]!).map((name) => written.get(name)!))).toEqual(expected.tensors.get('all')!.bytes);
});
