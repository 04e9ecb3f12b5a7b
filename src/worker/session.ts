/** What the worker does for each request. Free of its environment: backends, files and the way out are arguments. */
import type { ByteSource } from '../bytes/source';
import type { FileEntry } from '../checkpoint/types';
import type { ExportFolder } from '../files/export-folder';
import type { FileStore } from '../files/store';
import { version } from '../../package.json';
import { Catalogue, filesOf } from './catalogue';
import type { Handlers } from './dispatch';
import { Explorer } from './explorer';
import { checkpointsOf } from './export-input';
import { BackendHost } from './host';
import type { BackendFactory } from './host';
import { merge } from './merging';
import { scan } from './scanning';
import { Planner } from './planning';
import type { PickedFolder, WorkerEvent } from './protocol';

export interface SessionParts {
  readonly backends: BackendFactory;
  readonly store: FileStore;
  /** Files of the sample family served under a URL. */
  readonly fetchSample: (baseUrl: string) => Promise<readonly { readonly path: string; readonly source: ByteSource }[]>;
  /** Takes a folder (null: private storage) for one merge; rejects with DestinationError. */
  readonly openExportFolder: (folder: PickedFolder | null, store: FileStore, sources: Iterable<FileEntry>) => Promise<ExportFolder>;
  /** A file of the last export in private storage. */
  readonly exportedFile: (name: string) => Promise<unknown>;
  readonly emit: (event: WorkerEvent) => void;
}

/** One session: the open checkpoints, the backend in use and the held sample, behind a handler for each request. */
export function createSession({ backends, store, fetchSample, openExportFolder, exportedFile, emit }: SessionParts): Handlers {
  const host = new BackendHost(backends, (report) => emit({ event: 'backend', report }));
  const catalogue = new Catalogue(store);
  const openShard = (checkpoint: string, shard: number) => catalogue.openShard(checkpoint, shard);
  const explorer = new Explorer(host, openShard);
  const planner = new Planner(openShard);
  const context = { application: `Model Merging Studio ${version}`, catalogue, host, openFile: (entry: FileEntry) => store.open(entry), emit };

  return {
    start: ({ choice }) => host.start(choice),
    open: async ({ files }) => catalogue.add(await store.register(files)),
    openSample: async ({ baseUrl }) => {
      const files = await fetchSample(baseUrl);
      return catalogue.add({ entries: files.map(({ path, source }) => store.registerSource(path, source)), problems: [] });
    },
    close: async ({ checkpoint }) => {
      explorer.forget();
      planner.forget(checkpoint);
      catalogue.close(checkpoint);
      return null;
    },
    explore: async ({ recipe, choices }, { signal }) => {
      const started = performance.now();
      const { tensors, sample } = await explorer.figures(catalogue.checkpoints, recipe, choices, signal);
      return { tensors, milliseconds: performance.now() - started, sample };
    },
    estimate: async ({ recipe, choices }, { signal }) => ({ tensors: (await explorer.figures(catalogue.checkpoints, recipe, choices, signal)).tensors }),
    surface: async ({ recipe, choices, surface }, { signal }) => ({
      tensors: await explorer.views(catalogue.checkpoints, recipe, choices, signal, (held, parameters) => held.surface(parameters, surface, signal)),
    }),
    slackCurve: async ({ recipe, choices, slack }, { signal }) => ({
      tensors: await explorer.views(catalogue.checkpoints, recipe, choices, signal, (held, parameters) => held.slackCurve(parameters, slack, signal)),
    }),
    effect: async ({ recipe, choices }, { signal }) => ({
      tensors: await explorer.views(catalogue.checkpoints, recipe, choices, signal, (held, parameters) => held.effect(parameters, signal)),
    }),
    distribution: ({ recipe, choices, tensor }, { signal }) => explorer.distribution(catalogue.checkpoints, recipe, choices, tensor, signal),
    scan: (payload, control) => scan(payload, control, { catalogue, host, emit }),
    plan: async (payload) => {
      const { chunkBytes } = await host.use(async (backend) => backend);
      return planner.summary(catalogue.checkpoints, payload, chunkBytes);
    },
    merge: async (payload, control) => {
      const sources = checkpointsOf(payload.recipe, catalogue.checkpoints).flatMap(filesOf);
      const folder = await openExportFolder(payload.destination, store, sources);
      try {
        return await merge(payload, folder, control, context);
      } finally {
        await folder.release();
      }
    },
    exported: async ({ name }) => ({ handle: await exportedFile(name) }),
  };
}
