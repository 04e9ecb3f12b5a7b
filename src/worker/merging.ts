/** The merge job: plan, run, export, and what the page hears meanwhile. */
import { DestinationError } from '../bytes/errors';
import type { Hashing } from '../bytes/hashing';
import type { ByteSource, Destination } from '../bytes/source';
import type { Watchdog } from '../bytes/watchdog';
import { watchedOpening } from '../bytes/watched-source';
import type { FileEntry } from '../checkpoint/types';
import { contentsOfAll } from '../compose/contents';
import { checkpointsOf } from '../compose/export-input';
import { elementsOf, extraFiles } from '../compose/extra-files';
import { undertakingOf } from '../compose/undertaking';
import { isExportFile } from '../export/files';
import { limitsOf } from '../merge/budget';
import { planMerge } from '../merge/plan';
import type { OpenShard } from '../merge/reading';
import { readJournal } from '../merge/journal';
import { runMerge } from '../merge/run';
import { recomputeSpots } from '../reference/spots';
import type { Catalogue } from './catalogue';
import type { Control } from './dispatch';
import { tensorFigures } from './figures';
import type { BackendHost } from './host';
import type { MergeProgress, MergeSummary, RequestPayload, TensorFigures, WorkerEvent } from './protocol';
import { resilient } from './resilient';
import { MEMORY } from './sizing';
import { Throttle } from './throttle';

/** Milliseconds between two events of a kind: ten a second are as many as one can read. */
export const EVENT_MS = 100;

export interface MergeContext {
  /** Name and version, for the model card. */
  readonly application: string;
  readonly catalogue: Catalogue;
  readonly host: BackendHost;
  readonly openFile: (entry: FileEntry) => Promise<ByteSource>;
  readonly emit: (event: WorkerEvent) => void;
  /** See `RunHooks.hashing`. */
  readonly hashing?: Hashing | undefined;
  readonly watchdog: Watchdog;
  /** Hears of every tensor that was counted. */
  readonly counted: (figures: TensorFigures) => void;
}

/** Merges into `destination`. Rejects as `planMerge` and `runMerge` do, and with DestinationError `nothing-to-resume`; what is left then can be resumed, or is nothing. */
export async function merge(
  { recipe, choices, shardBytes, replace, resume = false, recheck = false, text = null }: RequestPayload<'merge'>,
  { destination, privateStorage }: { readonly destination: Destination; readonly privateStorage: boolean },
  { signal, ready }: Control,
  { application, catalogue, host, openFile, hashing, watchdog, emit, counted }: MergeContext,
): Promise<Omit<MergeSummary, 'stamps'>> {
  const planned = await host.use(async (backend) => backend);
  const open = catalogue.checkpoints;
  const checkpoints = checkpointsOf(recipe, open);
  const limits = { ...limitsOf(planned), shardBytes, readAheadBytes: MEMORY.readAhead };
  const openShard: OpenShard = (checkpoint, shard) => catalogue.openShard(checkpoint, shard);
  const nameOf = (id: string) => open.find((one) => one.id === id)?.name ?? id;
  const contents = await contentsOfAll(checkpoints, watchedOpening(openShard, (id) => nameOf(id), watchdog, signal));
  const unfinished = resume ? await readJournal(destination) : null;
  if (resume && unfinished === null) throw new DestinationError('nothing-to-resume', `${destination.name} holds no unfinished export`, { file: destination.name });
  const { metadata, journal } = undertakingOf({ application, recipe, choices, text, shardBytes, checkpoints, contents }, unfinished);
  const plan = planMerge(open, recipe, choices, limits, metadata);
  const extras = await extraFiles({ name: destination.name, application, recipe, text, choices, contents, checkpoints, plan }, watchedOpening(openFile, ({ path }) => path, watchdog, signal));

  const progress = new Throttle<MergeProgress>(EVENT_MS, (latest) => emit({ event: 'progress', progress: latest }), (_, next) => next);
  const tensors = new Throttle<readonly TensorFigures[]>(EVENT_MS, (figures) => emit({ event: 'tensor', figures }), (waiting, next) => [...waiting, ...next]);
  const elements = elementsOf(plan);
  try {
    const result = await runMerge(plan, resilient(host, planned), openShard, destination, {
      signal,
      ready,
      watchdog,
      replace,
      isExportFile,
      journal,
      extras,
      onKept: ({ length: shards }) => emit({ event: 'kept', shards }),
      onLeftBehind: (names) => emit({ event: 'left', names }),
      readAheadBytes: MEMORY.readAhead,
      recompute: recomputeSpots,
      ...(recheck ? { recheckBy: () => host.recheck() } : {}),
      ...(hashing ? { hashing } : {}),
      onProgress: (now) => progress.offer(now),
      onTensor: (tensor, slot) => {
        const figures = tensorFigures(tensor, slot, { slot: elements.get(tensor)!, tensor: elements.get(tensor)! });
        counted(figures);
        tensors.offer([figures]);
      },
    });
    const { files, shards, seconds, verified, checked, rechecked, overflow } = result;
    const backend = host.info ?? planned.info;
    return { destination: destination.name, privateStorage, files, shards, seconds, backend, tensors: result.tensors, verified, checked, rechecked, overflow };
  } finally {
    progress.flush();
    tensors.flush();
  }
}
