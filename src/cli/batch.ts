/** Several merges in one run: a grid of densities over the recipe, a folder each. */
import { asStudioError } from '../bytes/errors';
import { checkpointsOf } from '../compose/export-input';
import { extraFiles } from '../compose/extra-files';
import { TABLE_FILE, tableOf } from '../compose/table';
import { isExportFile } from '../export/files';
import { readAheadWithin } from '../merge/budget';
import type { Backend } from '../merge/backend';
import { runBatch, type BatchResult } from '../merge/batch';
import { planBatch } from '../merge/batch-plan';
import type { JournalHooks } from '../merge/journaling';
import type { MergePlan } from '../merge/plan-types';
import type { Rechecked } from '../merge/recheck';
import { densityGrid } from '../recipe/batch';
import type { BatchEntry } from '../recipe/batch';
import { recomputeSpots } from '../reference/spots';
import { recheckBackend } from './backends';
import type { LockedFolders } from './batch-folders';
import { HASHING_NATIVELY } from './disk';
import type { Opened } from './models';
import type { Output } from './output';
import { reportProgress } from './progress';
import { UsageError, type Options } from './usage';

/** A recipe of the batch, planned. */
export interface PlannedEntry {
  readonly entry: BatchEntry;
  readonly plan: MergePlan;
  readonly contents: ReadonlyMap<string, string>;
  readonly journal: JournalHooks;
}

/** The recipe with every pair of densities of `--grid`. Throws UsageError for a model that is not in the recipe. */
export function entriesOf({ grid }: Options, { recipe, text, checkpoints }: Opened): BatchEntry[] {
  const inRecipe = (id: string) => text.paths[id] ?? id;
  const [x, y] = grid.map(({ model }) => {
    const found = recipe.models.find((one) => inRecipe(one.model) === model);
    if (!found) throw new UsageError(`--grid ${model}: no model of the recipe; those are ${recipe.models.map((one) => inRecipe(one.model)).join(', ')}`);
    return found.model;
  });
  const nameOf = (id: string) => checkpoints.find((one) => one.id === id)?.name ?? id;
  return densityGrid(recipe, [x!, y!], grid[0]!.densities, nameOf, grid[1]!.densities);
}

/** Merges all of `planned` into `folders`, those of `--out`, with `results.csv` beside them. Rejects as `runBatch` does, or with what stopped it. */
export async function mergeSeveral(planned: readonly PlannedEntry[], backend: Backend, folders: LockedFolders, options: Options, opened: Opened, application: string, output: Output, signal: AbortSignal): Promise<void> {
  const { checkpoints, text, choices, openFile, openShard } = opened;
  const holdBytes = 2 * options.memoryBytes;
  const batch = planBatch(planned.map(({ plan }) => plan), { holdBytes });
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  output.write(`${planned.length} merges, ${batch.waves.map(({ entries }) => entries.length).join(', then ')} side by side: reads ${gigabytes(batch.bytesRead)}, holds at most ${gigabytes(batch.peakBytes)}, writes ${gigabytes(batch.bytesWritten)}\n`);
  const items = [];
  for (const { entry: { folder, recipe }, plan, contents, journal } of planned) {
    const extras = await extraFiles({ name: folder, application, recipe, text, choices, contents, checkpoints: checkpointsOf(recipe, checkpoints), plan }, openFile);
    items.push({ folder, plan, extras, journal });
  }
  const nameOf = (id: string) => checkpoints.find((one) => one.id === id)?.name ?? id;
  const table = { name: TABLE_FILE, of: tableOf(planned.map(({ entry }) => entry), nameOf, TABLE_FILE, options.out!) };
  const { onProgress, end } = reportProgress(output);
  const { finished, missing, stopped, seconds } = await runBatch(items, batch, backend, openShard, folders, {
    signal,
    holdBytes,
    onProgress,
    table,
    isExportFile,
    onLeftBehind: output.leave,
    resume: options.resume,
    readAheadBytes: readAheadWithin(options.memoryBytes),
    hashing: HASHING_NATIVELY,
    recompute: recomputeSpots,
    ...(options.recheck ? { recheckBy: () => recheckBackend(backend.info, readAheadWithin(options.memoryBytes)) } : {}),
  }).finally(end);
  const lines = finished.flatMap(({ folder, result }) => result.files.map(({ sha256, name }) => `${sha256}  ${folder}/${name}\n`));
  output.write(`${lines.join('')}${outcomeWords(finished, planned.length, `in ${seconds.toFixed(1)} s on ${backend.info.label}`, options)}`);
  if (stopped) {
    output.warn(`not exported: ${missing.join(', ')}\n`);
    throw asStudioError(stopped);
  }
}

/** Of the merges that `how` made, and of the folders that an earlier attempt left complete: those are told by their headers. */
function outcomeWords(finished: BatchResult['finished'], planned: number, how: string, { out, recheck }: Options): string {
  const made = finished.filter(({ result }) => result.tensors > 0);
  const before = finished.length - made.length;
  const [folders, are, their, they] = before === 1 ? ['1 folder was', 'is', 'its', 'it'] : [`${before} folders were`, 'are', 'their', 'they'];
  return [
    ...(made.length > 0 || before === 0 ? [`${made.length} of ${planned} merges ${how}, read again and equal${recheckedWords(made)}: ${out!}\n`] : []),
    ...(before > 0 ? [`${folders} complete before, ${are} of these recipes and sources by ${their} headers, and left as ${they} ${are}${recheck ? `; ${they} ${they === 'it' ? 'was' : 'were'} not computed again` : ''}: ${out!}\n`] : []),
  ].join('');
}

/** What `--recheck` compared, over all that were made. */
function recheckedWords(made: BatchResult['finished']): string {
  const all = made.flatMap(({ result }) => result.rechecked ?? []);
  if (all.length === 0) return '';
  const sum = (of: (one: Rechecked) => number) => all.reduce((total, one) => total + of(one), 0);
  return `; all ${sum(({ values }) => values)} values of them by ${[...new Set(all.map(({ by }) => by))].join(' and ')}, ${sum(({ differing }) => differing)} of these rounded by one unit in the last place`;
}
