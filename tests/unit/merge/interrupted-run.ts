/** A small merge that is interrupted: into an empty folder, and in the place of older exports. */
import { beforeAll, expect } from 'vitest';
import { StudioError } from '../../../src/bytes/errors';
import type { Backend } from '../../../src/merge/backend';
import type { JournalSubject } from '../../../src/merge/journal-types';
import type { JournalHooks } from '../../../src/merge/journaling';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { MergePlan } from '../../../src/merge/plan-types';
import { readJournal } from '../../../src/merge/journal';
import { runMerge } from '../../../src/merge/run';
import type { ExtraFile, RunHooks, RunResult } from '../../../src/merge/run-types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { DIGESTS_IN_ORDER } from './digests-in-order';
import { familyOf, recipeOf } from './family';
import type { Family, MadeTensors } from './family';
import { MemoryFolder } from './memory-folder';

export const TENSORS: MadeTensors = { a: [200], b: [200], c: [200], ids: { shape: [4], dtype: 'I32' } };
export const EXTRAS: readonly ExtraFile[] = [{ name: 'config.json', content: new Uint8Array([123, 125]) }, { name: 'README.md', content: async (figures) => new Uint8Array([figures.size]) }];
export const INDEX = 'model.safetensors.index.json';
export const SHARDS = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`);
export const OLD = { 'model-00001-of-00002.safetensors': 'old', 'model-00002-of-00002.safetensors': 'old', [INDEX]: 'old', 'config.json': 'old', 'tokenizer.json': 'old', 'notes.txt': 'mine' };
export const SUBJECT: JournalSubject = {
  application: 'Model Merging Studio 1',
  recipe: '{"v":1}',
  choices: '{}',
  text: 'null',
  shardBytes: 416,
  sources: ['base', 'x'].map((name) => ({ id: `id-${name}`, name, fingerprint: `f-${name}`, bytes: 1, contents: `c-${name}`, beside: null, files: [{ name: 'model.safetensors', size: 1, modified: 5 }] })),
};
export const isExportFile = (name: string) => name === 'tokenizer.json' || name === 'config.json';

export let family: Family;
const plans = new Map<number, MergePlan>();
beforeAll(async () => {
  family = await familyOf({ base: TENSORS, x: TENSORS });
  for (const shardBytes of [416, 1e9]) plans.set(shardBytes, planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, { chunkBytes: 700, shardBytes }, {}));
});

/** The reference, telling which groups it merged. */
export function watched(label = 'reference'): Backend & { readonly groups: string[] } {
  const inner = createReferenceBackend();
  const groups: string[] = [];
  return { ...inner, info: { ...inner.info, label }, groups, merge: (group, ...call) => (groups.push(group.slots.map(({ name }) => name).join()), inner.merge(group, ...call)) };
}

export interface Options {
  readonly backend?: Backend;
  readonly hooks?: RunHooks;
  readonly journal?: Partial<JournalHooks>;
  readonly shardBytes?: number;
}
export function run(folder: MemoryFolder, { backend = watched(), hooks = {}, journal = {}, shardBytes = 416 }: Options = {}): Promise<RunResult> {
  return runMerge(plans.get(shardBytes)!, backend, family.openShard, folder, { extras: EXTRAS, pieceBytes: 300, hashing: DIGESTS_IN_ORDER, isExportFile, ...hooks, journal: { subject: SUBJECT, date: () => 1000, ...journal } });
}
/** As a person does: carries on what lies there, else starts (again, in the place of what is in the way). */
export async function again(folder: MemoryFolder, options: Options = {}): Promise<RunResult> {
  const found = await readJournal(folder).catch(() => null);
  return found ? run(folder, { ...options, journal: { ...options.journal, resume: found } }) : run(folder, { ...options, hooks: { ...options.hooks, replace: true } });
}

export async function failure(promise: Promise<unknown>): Promise<StudioError> {
  const error: unknown = await promise.then(() => null, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StudioError);
  return error as StudioError;
}
export const sorted = (folder: MemoryFolder) => Object.fromEntries([...folder.files].map(([name, bytes]): [string, number[]] => [name, [...bytes]]).sort(([a], [b]) => (a < b ? -1 : 1)));
/** A loader finds weights: all of one export or nothing. */
export function expectNothingHalf(folder: MemoryFolder, clean: Record<string, number[]>, old: Readonly<Record<string, string>>, what: string): void {
  const text = (name: string) => new TextDecoder().decode(folder.files.get(name));
  // Weights of one export are not loaded with the config of another.
  const single = text('model.safetensors');
  if (single !== '' && text('config.json') !== '') expect(text('config.json') === 'old', `${what}: config`).toBe(single === 'old');
  if (text(INDEX) === 'old') for (const [name, content] of Object.entries(old)) expect(text(name), `${what}: ${name}`).toBe(content);
  else if ((folder.files.get(INDEX)?.length ?? 0) > 0) for (const name of SHARDS) expect([...folder.files.get(name)!], `${what}: ${name}`).toEqual(clean[name]);
  // An empty one is no weight file to anybody.
  if (single !== '' && single !== 'old') expect([...folder.files.get('model.safetensors')!], what).toEqual(clean['model.safetensors']);
}

export const CASES: readonly (readonly [string, number, Readonly<Record<string, string>>])[] = [
  ['three shards', 416, {}],
  ['one shard', 1e9, {}],
  ['three shards in the place of an older export', 416, OLD],
  ['one shard in the place of an older export', 1e9, OLD],
  ['one shard in the place of another', 1e9, { 'model.safetensors': 'old', 'config.json': 'old', 'tokenizer.json': 'old', 'notes.txt': 'mine' }],
];

/** What a run of a case leaves that nothing happens to, and its operations. */
export async function cleanRun(shardBytes: number, old: Readonly<Record<string, string>>) {
  const folder = new MemoryFolder(old);
  await run(folder, { shardBytes, hooks: { replace: Object.keys(old).length > 0 } });
  return { files: sorted(folder), operations: [...folder.operations] };
}
