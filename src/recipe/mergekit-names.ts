/** How a MergeKit file names its models, and which open checkpoint that is. */
import { isMap } from 'yaml';
import type { Entry, YamlReader } from './yaml-read';

/** A checkpoint to be found by name: its display name, and the folder it was dropped as where there is one. */
export interface Findable {
  readonly id: string;
  readonly name: string;
  readonly path?: string;
}

/**
 * A model's reference as text: as written, or `path@revision+lora` of MergeKit's longer form,
 * `{model: {path, revision}, lora}`. Undefined where there is none, which is then a problem.
 */
export function readReference(yaml: YamlReader, entry: Entry | undefined, what: string): string | undefined {
  if (entry === undefined || !isMap(entry.node)) return yaml.string(entry, what);
  const fields = yaml.map(entry, what);
  yaml.unknownKeys(fields, ['model', 'path', 'revision', 'lora'], `${what}.`);
  const path = fields.has('model') ? readReference(yaml, fields.get('model'), `${what}.model`) : yaml.string(fields.get('path') ?? { node: null, line: entry.line }, `${what}.path`);
  if (path === undefined) return undefined;
  const revision = fields.has('revision') ? yaml.string(fields.get('revision'), `${what}.revision`) : undefined;
  const lora = fields.has('lora') ? readReference(yaml, fields.get('lora'), `${what}.lora`) : undefined;
  return `${path}${revision === undefined ? '' : `@${revision}`}${lora === undefined ? '' : `+${lora}`}`;
}

/**
 * The open checkpoint that a model path of a file means: the one whose name or folder is the path, or else the one that
 * agrees with it in most parts from the end (`/data/runs/sft` is the folder `sft`, `org/name` is `models--org--name` of a Hub
 * cache). A revision counts where names have one. Null when there is none, or several agree in as many parts.
 */
export function matchModel<T extends Findable>(path: string, open: readonly T[]): T | null {
  const exact = open.find(({ name }) => name === path) ?? open.find((one) => one.path === path);
  if (exact) return exact;
  const { parts, revision } = partsOf(path);
  const scored = open.map((one) => ({ one, score: Math.max(...[one.name, one.path ?? ''].map((name) => agreement(parts, revision, name))) }));
  const best = Math.max(0, ...scored.map(({ score }) => score));
  const found = scored.filter(({ score }) => score === best);
  return best > 0 && found.length === 1 ? found[0]!.one : null;
}

/** Parts in common from the end; half a part more where the revisions are the same, none where they differ. */
function agreement(parts: readonly string[], revision: string | null, name: string): number {
  const own = partsOf(name);
  if (revision !== null && own.revision !== null && !revision.startsWith(own.revision) && !own.revision.startsWith(revision)) return 0;
  let common = 0;
  while (common < parts.length && common < own.parts.length && parts.at(-1 - common) === own.parts.at(-1 - common)) common++;
  return common > 0 && revision !== null && own.revision !== null ? common + 0.5 : common;
}

function partsOf(path: string): { parts: string[]; revision: string | null } {
  const all = path.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  const cached = all.findIndex((part, i) => part.startsWith('models--') && all[i + 1] === 'snapshots');
  if (cached >= 0) return { parts: all[cached]!.split('--').slice(1), revision: all[cached + 2] ?? null };
  const last = all.at(-1) ?? '';
  const at = last.lastIndexOf('@');
  return at <= 0 ? { parts: all, revision: null } : { parts: [...all.slice(0, -1), last.slice(0, at)], revision: last.slice(at + 1) };
}
