/** Sampled figures held against exact ones, as the text of bench/ACCURACY.md. Arguments: root of the repository, divisor of the large family's dimensions, draws, file to write. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { breakDown, type Breakdown } from '../../src/analysis/aggregate';
import { MemorySource } from '../../src/bytes/source';
import { placeOf } from '../../src/checkpoint/places';
import { MODULE_KINDS, type ModuleKind } from '../../src/checkpoint/types';
import { createCpuBackend } from '../../src/cpu/backend';
import { planMerge } from '../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../src/merge/plan-types';
import { COARSE_BLOCKS, REFINED_BLOCKS, type SampleOptions } from '../../src/merge/sample';
import { scanPlan } from '../../src/merge/scan';
import { tensorFigures } from '../../src/worker/figures';
import type { TensorFigures } from '../../src/worker/protocol';
import { cover, draw, groupsOf, type Given } from '../coverage';
import { FAMILIES } from '../families.mjs';
import { openFamily, paperRecipe } from './family';
import { generatedShard, GENERATED_MODELS } from './generated';
import { coverage, METRICS, perLayer, summary, type Groups } from './text';

const [root, divisorText, drawsText, output] = process.argv.slice(2) as [string, string, string, string];
const divisor = Number(divisorText);
const draws = Number(drawsText);
const FIXTURE_VALUES = 1_575_040;
const TWO_PERCENT = { bytes: Infinity, values: 0.02 * FIXTURE_VALUES, blocks: REFINED_BLOCKS };
const TOKENS = ['128k', '512k', '4M'];
/** The studio's first sample, and its second: the least it takes, and four times that. */
const SAMPLES: readonly (readonly [string, SampleOptions, boolean])[] = [
  ['first sample, 2 million values in at most 3 blocks a tensor', { bytes: 64 * 2 ** 20, values: 2e6, blocks: COARSE_BLOCKS }, false],
  ['refined sample, 0.5 million values in at most 16 blocks a tensor (the least)', { bytes: 256 * 2 ** 20, values: 5e5, blocks: REFINED_BLOCKS }, true],
  ['refined sample, 2 million values in at most 16 blocks a tensor', { bytes: 256 * 2 ** 20, values: 2e6, blocks: REFINED_BLOCKS }, true],
];

const lines: string[] = [];
const say = (...more: readonly string[]) => {
  lines.push(...more);
  process.stdout.write(`${more.join('\n')}\n`);
};
const backend = createCpuBackend();
const groups = (breakdown: Breakdown<ModuleKind>): Groups => new Map(groupsOf(breakdown));

/** Figures of every value, by the passes of a merge. */
async function exactOf({ checkpoints, openShard, recipe }: Given): Promise<Groups> {
  const plan = planMerge(checkpoints, recipe, DEFAULT_CHOICES, { chunkBytes: backend.chunkBytes, shardBytes: 5e9 }, {});
  const tensors: TensorFigures[] = [];
  await scanPlan(plan, backend, openShard, { onTensor: (name, elements, slot) => tensors.push(tensorFigures(name, slot, { slot: elements, tensor: elements })) });
  return groups(breakDown(tensors, placeOf, MODULE_KINDS, recipe.models.length));
}

async function fixtures(): Promise<void> {
  const models = TOKENS.map((tokens) => `ct-x-${tokens}`);
  const files = ['base', 'sft', ...models].flatMap((name) => ['config.json', 'model.safetensors'].map((file) => `${name}/${file}`));
  const family = await openFamily(files.map((file) => new MemorySource(file, new Uint8Array(readFileSync(join(root, 'tests/fixtures/checkpoints', file))))));
  for (const ct of models) {
    const given: Given = { ...family, recipe: paperRecipe(family, 'sft', ct), backend };
    const exact = await exactOf(given);
    const drawn = groups(await draw(given, TWO_PERCENT, true));
    say(`## Trained miniature: sft with ${ct}`, '', `Sample of 2 % of ${FIXTURE_VALUES.toLocaleString('en')} values, the draw that the studio makes.`, '');
    say(...summary(exact, drawn), '', ...perLayer(exact, drawn), '');
    const metrics = METRICS.map(([, metric]) => metric);
    const rows = await cover(given, TWO_PERCENT, metrics, draws);
    say(`${draws} other draws of the same size: how many of the 95 % intervals hold the exact figure.`, '', ...coverage(rows, draws), '');
    const first = await cover(given, { ...TWO_PERCENT, blocks: COARSE_BLOCKS }, metrics, draws, false);
    say(`${draws} draws of the same size in three blocks a tensor, as the first sample takes them: its intervals rest on no measured rates and are wide rather than narrow.`, '', ...coverage(first, draws), '');
  }
}

async function large(): Promise<void> {
  const full = FAMILIES['1.1b'];
  const shape = { ...full, hidden: full.hidden / divisor, intermediate: full.intermediate / divisor, keyRows: full.keyRows / divisor, vocabulary: full.vocabulary / divisor };
  const family = await openFamily((['base', ...GENERATED_MODELS] as const).map((model) => generatedShard(`${model}/model.safetensors`, model, shape)));
  const given: Given = { ...family, recipe: paperRecipe(family, 'sft', 'ct'), backend };
  const begun = performance.now();
  const exact = await exactOf(given);
  const { numel } = exact.get('total')!.figures;
  process.stderr.write(`exact figures of ${numel} values: ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
  const size = divisor === 1 ? 'at its full size' : `with every dimension divided by ${divisor}, so that every value can be counted in minutes`;
  say(`## Generated family with the 201 tensors of TinyLlama-1.1B`, '');
  say(`The list of tensors is TinyLlama-1.1B's ${size}: ${numel.toLocaleString('en')} values a model. Content is seeded (bench/accuracy/generated.ts): rows, bands of rows, stretches of columns and layers differ in how far they are moved and in how much the models agree.`, '');
  for (const [name, options, rated] of SAMPLES) {
    const drawn = groups(await draw(given, options, rated));
    const { events, counted } = drawn.get('total')!;
    say(`### ${name[0]!.toUpperCase()}${name.slice(1)}`, '', `${events.numel.toLocaleString('en')} values drawn, ${(100 * events.numel / numel).toFixed(2)} % of all; ${counted.numel.toLocaleString('en')} of them are whole tensors.`, '');
    say(...summary(exact, drawn), '', ...perLayer(exact, drawn), '');
  }
}

say('# How far sampled figures are off', '');
say('Written by `node bench/accuracy.mjs`; do not edit. Exact figures come from counting every value; both are computed on the CPU, which agrees with WebGPU to the bit.', '');
say('The recipe is the paper\'s, k = 0.2 of SFT and 1 of CT, with a slack of 4 % of what is retained of SFT: conflicts, won and discarded shares are those before the slack, hence TIES\' own.', '');
say('Errors are estimate minus exact in percentage points of the figure. In brackets: the error over half the width of the 95 % interval, 1 at its edge; "known" where the sample leaves no doubt; "of a bound" where fewer than 10 events were met and only an upper bound is claimed.', '');
await fixtures();
await large();
writeFileSync(output, `${lines.join('\n').trimEnd()}\n`);
