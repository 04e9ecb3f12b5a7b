/** Several recipes exported in one job: planned together, merged together, each into a folder of its own. */
import type { BackendLimits } from '../merge/budget';
import { limitsOf } from '../merge/budget';
import { IncompatibleCheckpointsError } from '../bytes/errors';
import type { BatchFolder } from '../bytes/source';
import { watchedOpening } from '../bytes/watched-source';
import type { FileEntry } from '../checkpoint/types';
import { contentsOfAll } from '../compose/contents';
import { checkpointsOf } from '../compose/export-input';
import { elementsOf, extraFiles } from '../compose/extra-files';
import { undertakingOf } from '../compose/undertaking';
import type { Undertaking } from '../compose/undertaking';
import { exportMetadata, isExportFile } from '../export/files';
import { runBatch } from '../merge/batch';
import type { BatchItem } from '../merge/batch-progress';
import { planBatch } from '../merge/batch-plan';
import type { BatchPlan } from '../merge/batch-plan';
import { readJournal } from '../merge/journal';
import { planMerge } from '../merge/plan';
import type { MergePlan } from '../merge/plan-types';
import { TABLE_FILE, tableOf } from '../compose/table';
import { recomputeSpots } from '../reference/spots';
import type { Catalogue } from './catalogue';
import type { Control } from './dispatch';
import { tensorFigures } from './figures';
import type { MergeContext } from './merging';
import { EVENT_MS } from './merging';
import type { BatchPlanSummary, BatchSummary, MergeProgress, RequestPayload, TensorFigures } from './protocol';
import { resilient } from './resilient';
import { MEMORY } from './sizing';
import { Throttle } from './throttle';

/** Bytes of inputs kept while every recipe is merged from them: the embedding of a 7B model and its two others in BF16 fit. */
const holdBytes = () => 3 * MEMORY.readAhead;

type Entries = RequestPayload<'batch'>['entries'];

/** What a batch would take. Rejects as `planMerge` does, and with IncompatibleCheckpointsError `undecided`. */
export function summariseBatch({ entries, shardBytes }: RequestPayload<'planBatch'>, catalogue: Catalogue, limits: BackendLimits): BatchPlanSummary {
  const metadataOf = (i: number) => exportMetadata(entries[i]!.recipe, checkpointsOf(entries[i]!.recipe, catalogue.checkpoints), entries[i]!.choices, new Map());
  const { waves, ...plan } = planBatch(plansOf(entries, shardBytes, catalogue, limits, metadataOf), { holdBytes: holdBytes() });
  return { ...plan, folders: entries.length, waves: waves.map(({ entries: own }) => own.length) };
}

/**
 * Carries a batch out. Resolves, too, when it was stopped after some folders were finished; else rejects as `runBatch` does.
 * `counted` hears of every tensor of every finished recipe.
 */
export async function exportBatch(
  { entries, shardBytes, resume = false, recheck = false }: RequestPayload<'batch'>,
  { destination, privateStorage }: { readonly destination: BatchFolder; readonly privateStorage: boolean },
  { signal, ready }: Control,
  { application, catalogue, host, openFile, hashing, watchdog, emit }: Omit<MergeContext, 'counted'>,
  counted: (entry: Entries[number], figures: readonly TensorFigures[]) => Promise<void>,
): Promise<Omit<BatchSummary, 'stamps'>> {
  const planned = await host.use(async (backend) => backend);
  const open = catalogue.checkpoints;
  const openShard = (checkpoint: string, shard: number) => catalogue.openShard(checkpoint, shard);
  const nameOf = (id: string) => open.find((one) => one.id === id)?.name ?? id;
  const used = [...new Map(entries.flatMap(({ recipe }) => checkpointsOf(recipe, open)).map((one) => [one.id, one])).values()];
  const contents = await contentsOfAll(used, watchedOpening(openShard, (id) => nameOf(id), watchdog, signal));
  const undertakings: Undertaking[] = [];
  const present = resume ? await destination.list() : [];
  for (const { folder: name, recipe, text, choices } of entries) {
    const journal = present.includes(name) ? await readJournal(await destination.folder(name)) : null;
    undertakings.push(undertakingOf({ application, recipe, choices, text, shardBytes, checkpoints: checkpointsOf(recipe, open), contents }, journal));
  }
  const plans = plansOf(entries, shardBytes, catalogue, limitsOf(planned), (i) => undertakings[i]!.metadata);
  const items: BatchItem[] = [];
  for (const [i, { folder: name, recipe, text, choices }] of entries.entries()) {
    const plan = plans[i]!;
    items.push({ folder: name, plan, journal: undertakings[i]!.journal, extras: await extraFiles({ name, application, recipe, text, choices, contents, checkpoints: checkpointsOf(recipe, open), plan }, watchedOpening(openFile, ({ path }) => path, watchdog, signal)) });
  }
  // Of every folder so far: an event tells of all that the page shows.
  const left: string[] = [];
  let kept = 0;
  const batch: BatchPlan = planBatch(plans, { holdBytes: holdBytes() });
  const progress = new Throttle<MergeProgress>(EVENT_MS, (latest) => emit({ event: 'progress', progress: latest }), (_, next) => next);
  try {
    const { finished, missing, stopped, seconds } = await runBatch(items, batch, resilient(host, planned), openShard, destination, {
      signal,
      ready,
      watchdog,
      readAheadBytes: MEMORY.readAhead,
      holdBytes: holdBytes(),
      isExportFile,
      resume,
      recompute: recomputeSpots,
      ...(recheck ? { recheckBy: () => host.recheck() } : {}),
      ...(hashing ? { hashing } : {}),
      onKept: ({ length }) => emit({ event: 'kept', shards: (kept += length) }),
      onLeftBehind: (names) => {
        left.push(...names);
        emit({ event: 'left', names: [...left] });
      },
      onProgress: (now) => progress.offer(now),
      table: { name: TABLE_FILE, of: tableOf(entries, nameOf, TABLE_FILE, destination.name) },
    });
    for (const { folder: name, result } of finished) {
      // Left as it was, it was not counted again.
      if (result.figures.size === 0) continue;
      const at = entries.findIndex((entry) => entry.folder === name);
      const elements = elementsOf(plans[at]!);
      await counted(entries[at]!, [...result.figures].map(([tensor, slot]) => tensorFigures(tensor, slot, { slot: elements.get(tensor)!, tensor: elements.get(tensor)! })));
    }
    return {
      destination: destination.name,
      privateStorage,
      folders: finished.map(({ folder: name, result: { files, tensors, verified, checked, rechecked, overflow } }) => ({ folder: name, files, tensors, verified, checked, rechecked, overflow })),
      table: TABLE_FILE,
      missing,
      stopped: stopped?.toWire() ?? null,
      seconds,
      backend: host.info ?? planned.info,
    };
  } finally {
    progress.flush();
  }
}

function plansOf(entries: Entries, shardBytes: number, { checkpoints: open }: Catalogue, limits: BackendLimits, metadataOf: (entry: number) => Readonly<Record<string, string>>): MergePlan[] {
  return entries.map(({ recipe, choices }, i) => {
    const plan = planMerge(open, recipe, choices, { ...limits, shardBytes, readAheadBytes: MEMORY.readAhead }, metadataOf(i));
    if (plan.refusals.length === 0) return plan;
    const names = plan.refusals.map(({ tensor }) => tensor);
    throw new IncompatibleCheckpointsError('undecided', `${names.length} differences are to be decided first`, { names });
  });
}

/** Files of every checkpoint that one of the recipes reads. */
export function sourcesOf(entries: Entries, { checkpoints }: Catalogue, filesOf: (checkpoint: Catalogue['checkpoints'][number]) => readonly FileEntry[]): FileEntry[] {
  return [...new Set(entries.flatMap(({ recipe }) => checkpointsOf(recipe, checkpoints)))].flatMap(filesOf);
}
