/** What the worker does for each request. Free of its environment: backends, files and the way out are arguments. */
import type { Hashing } from '../bytes/hashing';
import { JOURNAL_FILE, type ByteSource, type Destination } from '../bytes/source';
import { Watchdog } from '../bytes/watchdog';
import type { FileEntry } from '../checkpoint/types';
import { isExportFile } from '../export/files';
import type { ExportFolder, HowToOpen } from '../files/export-folder';
import type { FiguresStore } from '../files/figures-store';
import type { FileStore } from '../files/store';
import { limitsOf } from '../merge/budget';
import { oldFiles } from '../merge/folder';
import { figuresKey } from '../merge/figures-key';
import { kinshipOf } from '../merge/kinship';
import { measureReading } from '../merge/read-rate';
import { WatchedFolder } from '../merge/watched-folder';
import { scopeOf } from '../recipe/resolve';
import type { Recipe, Scope } from '../recipe/types';
import { version } from '../../package.json';
import { exportBatch, sourcesOf, summariseBatch } from './batching';
import { Catalogue, filesOf } from './catalogue';
import type { Handlers } from './dispatch';
import { ExactFigures } from './exact-figures';
import { Explorer } from './explorer';
import type { Question } from './samples';
import { MEMORY } from './sizing';
import type { Sizing } from './sizing';
import { checkpointsOf } from '../compose/export-input';
import { BackendHost } from './host';
import type { BackendFactory } from './host';
import { merge } from './merging';
import { scan } from './scanning';
import { Planner } from './planning';
import { readRecipes } from './recipes';
import { verify } from './verifying';
import { takeResults } from './results';
import { finishedOf, inOrderOfRemoval } from './stored';
import { withFolder } from './taking';
import { removeUnfinished, unfinishedIn } from './unfinished';
import type { ExportedStamp, PickedFolder, TensorFigures, WorkerEvent } from './protocol';

export interface SessionParts {
  readonly backends: BackendFactory;
  readonly store: FileStore;
  /** Files of the sample family served under a URL. */
  readonly fetchSample: (baseUrl: string) => Promise<readonly { readonly path: string; readonly source: ByteSource }[]>;
  /** Takes a folder (null: private storage) for one merge; rejects with DestinationError. */
  readonly openExportFolder: (folder: PickedFolder | null, store: FileStore, sources: Iterable<FileEntry>, how: HowToOpen, names?: readonly string[]) => Promise<ExportFolder>;
  /** A folder to see what lies there; null when a tab is exporting to it, or there is none. */
  readonly visitExportFolder: (folder: PickedFolder | null) => Promise<Destination | null>;
  /** A file of the last export in private storage. */
  readonly exportedFile: (was: ExportedStamp) => Promise<unknown>;
  /** Every file in private storage. */
  readonly storedFiles: () => Promise<readonly ExportedStamp[]>;
  /** Removes these from it. */
  readonly removeStored: (stamps: readonly ExportedStamp[]) => Promise<void>;
  /** Where exact figures outlive the page. */
  readonly figuresStore: FiguresStore;
  readonly sizing: Sizing;
  /** See `RunHooks.hashing`. */
  readonly hashing?: Hashing;
  /** Finds what never ends; default over real time. */
  readonly watchdog?: Watchdog;
  readonly emit: (event: WorkerEvent) => void;
}

/** One session: the open checkpoints, the backend in use and the held sample, behind a handler for each request. */
export function createSession({ backends, store, fetchSample, openExportFolder, visitExportFolder, exportedFile, storedFiles, removeStored, figuresStore, sizing, hashing, watchdog = new Watchdog(), emit }: SessionParts): Handlers {
  const host = new BackendHost(backends, (report) => emit({ event: 'backend', report }), watchdog);
  const catalogue = new Catalogue(store);
  const openShard = (checkpoint: string, shard: number) => catalogue.openShard(checkpoint, shard);
  const exact = new ExactFigures(figuresStore);
  const explorer = new Explorer(host, openShard, exact, sizing, () => emit({ event: 'sample' }));
  const planner = new Planner(openShard, (entry) => store.open(entry));
  const context = { application: `Model Merging Studio ${version}`, catalogue, host, openFile: (entry: FileEntry) => store.open(entry), hashing, watchdog, emit };

  const about = ({ recipe, choices }: Omit<Question, 'open'>): Question => ({ open: catalogue.checkpoints, recipe, choices });
  // Files that were served have no time by which another content would be noticed.
  const outlives = (recipe: Recipe) => checkpointsOf(recipe, catalogue.checkpoints).every(({ shards }) => shards.every(({ file }) => file.modified > 0));
  /** Runs a job that counts every tensor and keeps what it counts. */
  const counting = <T>({ recipe, choices }: Omit<Question, 'open'>, job: (counted: (figures: TensorFigures) => void) => Promise<T>): Promise<T> =>
    explorer.jobs.during(async () => {
      const key = figuresKey(recipe, choices);
      const result = await job((figures) => exact.add(key, figures));
      await exact.finish(key, outlives(recipe));
      return result;
    });

  const stampsOf = async ({ destination, privateStorage }: ExportFolder, names: readonly string[]): Promise<ExportedStamp[]> =>
    // What is gone already cannot be downloaded.
    privateStorage ? (await Promise.all(names.map((name) => destination.stamp(name).then((stamp) => [{ name, ...stamp }], () => [])))).flat() : [];

  const nameOf = (folder: PickedFolder | null) => folder?.name ?? 'private storage';
  const visit = async <T>(destination: PickedFolder | null, signal: AbortSignal, otherwise: T, act: (folder: Destination) => Promise<T>): Promise<T> => {
    const folder = await visitExportFolder(destination);
    return folder === null ? otherwise : act(WatchedFolder.over(folder, { signal, watchdog }));
  };

  return {
    start: async ({ choice, memoryBytes }) => {
      MEMORY.choose(memoryBytes ?? null);
      return { ...(await host.start(choice)), automaticMemory: MEMORY.automatic };
    },
    calibrate: () => host.calibrate(),
    open: async ({ files }) => {
      const { rest, results, problems } = await takeResults(await store.register(files), store);
      const recipes = await readRecipes(rest.entries, context.openFile);
      const opened = await catalogue.add(rest);
      const ignored = opened.ignored.filter((path) => !recipes.some(({ file }) => file === path));
      return { ...opened, ignored, problems: [...opened.problems, ...problems], recipes, results };
    },
    openSample: async ({ baseUrl }) => {
      const files = await fetchSample(baseUrl);
      const opened = await catalogue.add({ entries: files.map(({ path, source }) => store.registerSource(path, source)), problems: [] });
      return { ...opened, results: [] };
    },
    close: async ({ checkpoint }) => {
      explorer.forget(checkpoint);
      planner.forget(checkpoint);
      catalogue.close(checkpoint);
      return null;
    },
    kinship: async () => ({ kin: await kinshipOf(catalogue.checkpoints, openShard, () => explorer.quiet()) }),
    rates: async ({ checkpoints }) => {
      await explorer.quiet();
      const readBytesPerSecond = await measureReading(catalogue.checkpoints.filter(({ id }) => checkpoints.includes(id)), openShard);
      return { parametersPerSecond: await host.throughput(), readBytesPerSecond };
    },
    explore: async (asked, { signal }) => {
      const started = performance.now();
      const { tensors, sample } = await explorer.figures(about(asked), signal);
      return { tensors, milliseconds: performance.now() - started, sample };
    },
    estimate: async (asked) => ({ tensors: await explorer.beside(about(asked)) }),
    surface: async (asked, { signal }) => ({
      tensors: await explorer.views(perTensor(about(asked), 'trim', 'slack'), signal, (held, parameters) => held.surface(parameters, asked.surface, signal)),
    }),
    slackCurve: async (asked, { signal }) => ({
      tensors: await explorer.views(perTensor(about(asked), 'slack'), signal, (held, parameters) => held.slackCurve(parameters, asked.slack, signal)),
    }),
    effect: async (asked, { signal }) => ({
      tensors: await explorer.views(about(asked), signal, (held, parameters) => held.effect(parameters, signal)),
    }),
    distribution: (asked, { signal }) => explorer.distribution(about(asked), asked.tensor, signal),
    scan: (payload, control) => counting(payload, (counted) => scan(payload, control, { catalogue, host, emit, counted })),
    verify: (payload, control) => explorer.jobs.during(() => verify(payload, control, { catalogue, host, watchdog, emit })),
    plan: async (payload) => {
      const limits = limitsOf(await host.use(async (backend) => backend));
      return planner.summary(catalogue.checkpoints, payload, limits);
    },
    merge: (payload, control) => {
      const sources = checkpointsOf(payload.recipe, catalogue.checkpoints).flatMap(filesOf);
      const open = () => openExportFolder(payload.destination, store, sources, payload.resume ? 'resume' : payload.replace ? 'replace' : 'new');
      return withFolder(nameOf(payload.destination), open, { signal: control.signal, watchdog }, async (destination, folder) => {
        // What lies in private storage was made by the studio: it is replaced unasked, but not before the merge is whole. An unfinished one refuses it.
        const replace = payload.replace || (folder.privateStorage && !payload.resume && !(await destination.list()).includes(JOURNAL_FILE));
        const summary = await counting(payload, (counted) => merge({ ...payload, replace }, { ...folder, destination }, control, { ...context, counted }));
        return { ...summary, stamps: await stampsOf(folder, summary.files.map(({ name }) => name)) };
      });
    },
    unfinished: async ({ destination }, { signal }) => visit(destination, signal, null, unfinishedIn),
    older: async ({ destination }, { signal }) => ({ names: await visit(destination, signal, [], async (folder) => oldFiles(await folder.list(), { names: [], isExportFile })) }),
    removeUnfinished: ({ destination }, { signal }) =>
      // No merge may take up what is being removed.
      withFolder(nameOf(destination), () => openExportFolder(destination, store, [], 'resume'), { signal, watchdog }, async (folder) => ({ left: await removeUnfinished(folder) })),
    planBatch: async (payload) => summariseBatch(payload, catalogue, limitsOf(await host.use(async (backend) => backend))),
    batch: (payload, control) => {
      const sources = sourcesOf(payload.entries, catalogue, filesOf);
      const open = () => openExportFolder(payload.destination, store, sources, payload.resume ? 'resume' : payload.anew ? 'replace' : 'new', payload.entries.map((entry) => entry.folder));
      return withFolder(nameOf(payload.destination), open, { signal: control.signal, watchdog }, async (destination, folder) => {
        const summary = await explorer.jobs.during(() =>
          exportBatch(payload, { ...folder, destination }, control, context, async ({ recipe, choices }, figures) => {
            const key = figuresKey(recipe, choices);
            for (const one of figures) exact.add(key, one);
            await exact.finish(key, outlives(recipe));
          }),
        );
        return { ...summary, stamps: await stampsOf(folder, [summary.table, ...summary.folders.flatMap(({ folder: own, files }) => files.map(({ name }) => `${own}/${name}`))]) };
      });
    },
    stored: async () => ({ stamps: finishedOf(await storedFiles()) }),
    removeStored: async ({ stamps }) => {
      await removeStored(inOrderOfRemoval(stamps));
      return null;
    },
    exported: async ({ was }) => ({ handle: await exportedFile(was) }),
  };
}

/** The question where what a view sweeps is ranked in each tensor for itself: a ranking of the whole model a cell would make it wait. */
function perTensor(question: Question, ...swept: readonly (keyof Scope)[]): Question {
  const scope = { ...scopeOf(question.recipe), ...Object.fromEntries(swept.map((of) => [of, 'tensor'])) };
  return { ...question, recipe: { ...question.recipe, scope } };
}
