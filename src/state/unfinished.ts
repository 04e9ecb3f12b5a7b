/** What an interrupted merge needs to be carried on: its recipe in the ids of what is open, or the names of what is not. */
import { asStudioError } from '../bytes/errors';
import type { Checkpoint } from '../checkpoint/types';
import type { FitChoices } from '../merge/plan-types';
import type { RecipeText } from '../recipe/mergekit';
import { matchSources } from '../recipe/provenance';
import type { Recipe } from '../recipe/types';
import type { PickedFolder, UnfinishedMerge } from '../worker/protocol';
import { idsOf, renamed } from './address';
import { readChoices, renamedChoices } from './choices';
import type { WorkerPort } from './ports';
import type { StudioStore } from './store';
import type { TargetState } from './types';

export type Resumable =
  /** Everything is open. */
  | { readonly status: 'ready'; readonly recipe: Recipe; readonly choices: FitChoices; readonly text: RecipeText | null; readonly shardBytes: number }
  /** Names of the sources that are not. */
  | { readonly status: 'waiting'; readonly missing: readonly string[] };

export function resumableOf({ recipe, choices, text, shardBytes, sources }: UnfinishedMerge, open: readonly Checkpoint[]): Resumable {
  const ids = matchSources(sources, open);
  const missing = idsOf(recipe).filter((id) => !ids.has(id));
  if (missing.length > 0) return { status: 'waiting', missing: missing.map((id) => sources.find((source) => source.id === id)?.name ?? id) };
  const idOf = (id: string) => ids.get(id) ?? id;
  const paths = Object.fromEntries(Object.entries(text?.paths ?? {}).map(([id, path]) => [idOf(id), path]));
  return { status: 'ready', recipe: renamed(recipe, idOf), choices: renamedChoices(readChoices(choices), idOf), text: text && { ...text, paths }, shardBytes };
}

export interface UnfinishedControls {
  /** Looks what lies at the destination. Never rejects. */
  lookAtTarget(): Promise<void>;
  /** Removes the finished export in private storage, of which there is no report on the page. Never rejects. */
  removeStored(): Promise<void>;
  /** Removes what an interrupted export left there, and nothing else. */
  removeUnfinished(): Promise<void>;
}

export function createUnfinishedControls(store: StudioStore, worker: WorkerPort, destination: () => PickedFolder | null): UnfinishedControls {
  worker.subscribe((event) => {
    if (event.event === 'left') store.setState(({ target }) => ({ target: { ...target, left: event.names } }));
  });
  let looks = 0;
  async function lookAtTarget(): Promise<void> {
    const look = ++looks;
    const set = (patch: Partial<TargetState>) => {
      // Another destination was chosen meanwhile.
      if (look === looks) store.setState(({ target }) => ({ target: { ...target, ...patch } }));
    };
    void worker.request('older', { destination: destination() }).then(({ names }) => set({ older: names }), () => set({ older: [] }));
    void worker.request('stored', {}).then(({ stamps }) => set({ stored: stamps }), () => set({ stored: [] }));
    const unfinished = await worker.request('unfinished', { destination: destination() }).catch(() => null);
    set({ unfinished });
  }
  /** A removal, and what is there then. */
  async function remove(act: () => Promise<Partial<TargetState>>): Promise<void> {
    const set = (patch: Partial<TargetState>) => store.setState(({ target }) => ({ target: { ...target, ...patch } }));
    set({ problem: null });
    try {
      set(await act());
    } catch (cause) {
      set({ problem: asStudioError(cause).toWire() });
    }
    await lookAtTarget();
  }
  return {
    lookAtTarget,
    removeStored: () =>
      remove(async () => {
        await worker.request('removeStored', { stamps: store.getState().target.stored });
        return { stored: [] };
      }),
    removeUnfinished: () => remove(() => worker.request('removeUnfinished', { destination: destination() })),
  };
}
