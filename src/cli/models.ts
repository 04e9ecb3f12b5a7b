/** From a recipe's text and folders to a recipe over open checkpoints. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { StudioError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { watchedOpening } from '../bytes/watched-source';
import { Watchdog } from '../bytes/watchdog';
import { displayNames } from '../checkpoint/names';
import { openCheckpoints } from '../checkpoint/open';
import { layerCount } from '../checkpoint/places';
import type { Checkpoint, FileEntry } from '../checkpoint/types';
import { VocabularyReader } from '../checkpoint/vocabulary';
import { DEFAULT_CHOICES, type FitChoices } from '../merge/plan-types';
import { fromMergeKit, type MergeKitProblem, type RecipeText } from '../recipe/mergekit';
import type { Recipe } from '../recipe/types';
import { DiskSource, entriesOf } from './disk';
import { split, UsageError, type Options } from './usage';

export interface Opened {
  readonly recipe: Recipe;
  /** With what the recipe calls each checkpoint. */
  readonly text: RecipeText;
  readonly choices: FitChoices;
  readonly checkpoints: readonly Checkpoint[];
  /** What the reader of the recipe warned of. */
  readonly warnings: readonly MergeKitProblem[];
  /** Paths on the disk of every file of every checkpoint. */
  readonly paths: readonly string[];
  /** Not waited for for ever, nor is any read of it: it ends soon after the signal is aborted. */
  openFile(entry: FileEntry): Promise<ByteSource>;
  /** For what watches its reads by itself, as a run does. */
  openShard(checkpoint: string, shard: number): Promise<ByteSource>;
}

/**
 * Reads the recipe and opens the folders it names. Throws UsageError for a recipe or folder that will not do, and as the readers
 * of checkpoints do. Reads end soon after `signal` is aborted.
 */
export async function openRecipe(options: Options, signal: AbortSignal): Promise<Opened> {
  const text = await readFile(options.recipe, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${options.recipe}: ${String(error)}`);
  });
  const names = namesIn(text, options.recipe);
  const paths = new Map<string, string>();
  const checkpoints: Checkpoint[] = [];
  const idOf = new Map<string, string>();
  const vocabularies = new VocabularyReader();
  const openRaw = async (entry: FileEntry) => new DiskSource(entry, paths.get(entry.id)!);
  const openFile = watchedOpening(openRaw, ({ path }) => path, new Watchdog(), signal);
  const shown = withoutPaths(names);
  for (const [i, name] of names.entries()) {
    const folder = await openFolder(await folderOf(name, options), name, paths, openFile);
    const checkpoint = { ...(await vocabularies.with(folder, openFile)), name: shown[i]! };
    checkpoints.push(checkpoint);
    idOf.set(name, checkpoint.id);
  }
  const layersOf = (id: string) => layerCount(checkpoints.find((checkpoint) => checkpoint.id === id)!.tensors.map(({ name }) => name)) || null;
  const { recipe, problems, choices } = fromMergeKit(text, (name) => idOf.get(name) ?? null, layersOf);
  if (recipe === null) throw new UsageError(problemLines(options.recipe, problems));
  return {
    recipe,
    text: { text, paths: Object.fromEntries([...idOf].map(([name, id]) => [id, name])) },
    choices: choicesOf(options, idOf, { ...DEFAULT_CHOICES, ...choices }),
    checkpoints,
    warnings: problems,
    paths: [...paths.values()],
    openFile,
    openShard: async (id, shard) => {
      const file = checkpoints.find((checkpoint) => checkpoint.id === id)?.shards[shard]?.file;
      if (file === undefined) throw new StudioError('internal', 'not-open', `shard ${shard} of checkpoint ${id} is not open`);
      return openRaw(file);
    },
  };
}

/** The one checkpoint of a folder, called `name` as its files are, read by `openFile`; the paths of its files are added to `paths` first, by the ids of their entries. */
export async function openFolder(folder: string, name: string, paths: Map<string, string>, openFile: (entry: FileEntry) => Promise<ByteSource>): Promise<Checkpoint> {
  // The name, not the path: two machines of one cluster must give a checkpoint the same id.
  const files = await entriesOf(folder, name);
  for (const { entry, path } of files) paths.set(entry.id, path);
  const opened = await openCheckpoints(files.map(({ entry }) => entry), openFile);
  const [problem] = opened.problems;
  if (problem) throw problem.error;
  if (opened.checkpoints.length !== 1) throw new UsageError(`${folder}: ${opened.checkpoints.length} checkpoints, expected one`);
  return { ...opened.checkpoints[0]!, name };
}

/** What an export calls each: the last part of a path, and as many more as tell it from the others. Where its folder lies is nobody's business. */
function withoutPaths(names: readonly string[]): string[] {
  const partsOf = (name: string) => name.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  return displayNames(names.map((name) => ({ folder: partsOf(name).join('/'), stem: null })));
}

/** Every model the recipe names, in the order found. */
function namesIn(text: string, file: string): string[] {
  const names: string[] = [];
  const { recipe, problems } = fromMergeKit(text, (name) => {
    if (!names.includes(name)) names.push(name);
    return name;
  });
  if (recipe === null) throw new UsageError(problemLines(file, problems));
  return names;
}

async function folderOf(name: string, { models, recipe }: Options): Promise<string> {
  const folder = models.get(name) ?? resolve(dirname(recipe), name);
  if (await isFolder(folder)) return (await snapshotOf(folder)) ?? folder;
  const given = models.has(name) ? `${folder} is no folder` : `${folder} is no folder; say where it is with --model ${name}=FOLDER`;
  throw new UsageError(`model ${name}: ${given}`);
}

const isFolder = (path: string) => stat(path).then((found) => found.isDirectory(), () => false);

/** Where the files of a Hugging Face cache `models--org--name` are: the snapshot of its main branch. Null for any other folder. */
async function snapshotOf(folder: string): Promise<string | null> {
  const commit = await readFile(join(folder, 'refs', 'main'), 'utf8').catch(() => '');
  const snapshot = join(folder, 'snapshots', basename(commit.trim()));
  return commit !== '' && (await isFolder(snapshot)) ? snapshot : null;
}

/** `file:line: what`, a line each. */
export function problemLines(file: string, problems: readonly MergeKitProblem[]): string {
  return problems.map(({ severity, error }) => `${file}:${error.where.line ?? 1}: ${severity}: ${error.message}`).join('\n');
}

/** What the recipe holds, and what the options say beside or instead of it. */
function choicesOf({ leaveOut, extraRows, integersFrom, allowNonfinite, rowsById }: Options, ids: ReadonlyMap<string, string>, held: FitChoices): FitChoices {
  const id = (name: string) => {
    const found = ids.get(name);
    if (found === undefined) throw new UsageError(`${name} is no model of the recipe: ${[...ids.keys()].join(', ')}`);
    return found;
  };
  const left: Record<string, readonly string[]> = { ...held.leaveOut };
  for (const pair of leaveOut) {
    const [model, tensor] = split(pair, ':', '--leave-out MODEL:TENSOR');
    left[tensor] = [...(left[tensor] ?? []), id(model)];
  }
  return {
    ...held,
    leaveOut: left,
    extraRows: extraRows === null ? held.extraRows : { from: id(extraRows) },
    integerFrom: { ...held.integerFrom, ...Object.fromEntries(integersFrom.map((pair) => split(pair, '=', '--integer-from TENSOR=MODEL')).map(([tensor, model]) => [tensor, id(model)])) },
    allowNonfinite: allowNonfinite || held.allowNonfinite,
    ...(rowsById ? { rows: 'id' as const } : {}),
  };
}
