/** Files come in, checkpoints go out. */
import { asStudioError } from '../bytes/errors';
import type { Checkpoint } from '../checkpoint/types';
import type { OpenResult, PickedFile } from '../worker/protocol';
import { folderOf } from './origin';
import type { FilePort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy, type CheckpointsState } from './types';

export interface OpeningControls {
  /** Must be called while the drop event is being handled. */
  drop(transfer: unknown): Promise<void>;
  chooseFiles(): Promise<void>;
  chooseFolder(): Promise<void>;
  openSample(): Promise<void>;
  close(id: string): Promise<void>;
  dismissProblem(file: string): void;
  /** What was open on an earlier page. */
  lookAtKept(): Promise<void>;
  /** Opens what was kept, by key. Must be called from a user gesture: the user is asked whether it may be read. */
  reopenKept(keys: readonly number[]): Promise<void>;
  forgetKept(keys: readonly number[]): Promise<void>;
  /** Lets go of the table of scores. */
  closeResults(): void;
}

export interface Opening extends OpeningControls {
  /**
   * Opens everything again at a worker that knows of nothing: what was given before, in its order. A checkpoint that cannot be
   * opened any more is closed, with a problem that says why. Never rejects.
   */
  reopen(): Promise<void>;
}

/** What the studio was doing when an opening failed as a whole, where no file can be named. */
const SELECTION = 'the selection';

/**
 * `changed` is called with the ids that came and went, after the store holds them; `offered` then, with a recipe that was dropped
 * without a checkpoint beside it.
 */
export function createOpeningControls(store: StudioStore, worker: WorkerPort, files: FilePort, changed: (closed: string | null) => void, offered: (text: string) => void): Opening {
  /** What a new worker is to be given. Handles and files live on the page, whatever becomes of the worker. */
  const given: (() => Promise<OpenResult>)[] = [];
  const set = (change: (state: CheckpointsState) => CheckpointsState) => store.setState(({ checkpoints }) => ({ checkpoints: change(checkpoints) }));

  async function open(name: string, bring: () => Promise<OpenResult | null>): Promise<void> {
    set((state) => ({ ...state, opening: state.opening + 1 }));
    try {
      const result = await bring();
      set((state) => ({ ...(result === null ? state : joined(state, result)), opening: state.opening - 1 }));
      const table = result?.results.at(-1);
      // A table is of use on the surface alone, so that is where it takes its reader.
      if (table) store.setState(({ view }) => ({ results: table, view: { ...view, chart: { ...view.chart, tab: 'surface' } } }));
      if (result !== null && result.checkpoints.length > 0) changed(null);
      const found = result?.recipes ?? [];
      if (found.length > 0) store.setState(({ recipes }) => ({ recipes: [...recipes.filter(({ file }) => !found.some((one) => one.file === file)), ...found] }));
      const alone = found.findLast(({ file }) => !store.getState().checkpoints.open.some(({ path }) => path !== '' && path === folderOf(file)));
      if (alone) offered(alone.text);
    } catch (cause) {
      const error = asStudioError(cause).toWire();
      set((state) => ({
        ...state,
        opening: state.opening - 1,
        problems: error.code === 'cancelled' ? state.problems : withProblem(state.problems, { file: error.where.file ?? name, error }),
      }));
    }
  }
  const openPicked = (picking: Promise<readonly PickedFile[]>) =>
    open(SELECTION, async () => {
      const picked = await picking;
      if (picked.length === 0) return null;
      const result = await give(() => worker.request('open', { files: picked.map(({ path, handle }) => ({ path, handle })) }));
      void keep([...new Set(picked.flatMap(({ root }) => root ?? []))], result.checkpoints);
      return result;
    });

  /** Roots that gave no checkpoint yet: shards that are dropped one by one. */
  let loose: readonly unknown[] = [];
  async function keep(roots: readonly unknown[], checkpoints: readonly Checkpoint[]): Promise<void> {
    const left = new Set([...loose, ...roots]);
    const isAlone = left.size === 1;
    const named = (root: unknown) => (root as { readonly name: string }).name;
    for (const root of left) {
      const inIt = checkpoints.filter(({ shards, sidecars }) => isAlone || [...shards.map(({ file }) => file), ...sidecars].some(({ path }) => path.split('/')[0] === named(root)));
      if (inIt.length === 0) continue;
      left.delete(root);
      store.setState({ kept: await files.kept.keep(root, inIt.map(({ id, name }) => ({ id, name }))) });
    }
    loose = [...left];
  }

  async function give(bring: () => Promise<OpenResult>): Promise<OpenResult> {
    given.push(bring);
    return bring();
  }

  async function reopen(): Promise<void> {
    set((state) => ({ ...state, opening: state.opening + 1 }));
    const found = new Map<string, Checkpoint>();
    for (const bring of given) {
      try {
        const { checkpoints, problems } = await bring();
        for (const one of checkpoints) found.set(one.id, one);
        set((state) => ({ ...state, problems: problems.reduce(withProblem, state.problems) }));
      } catch (cause) {
        const error = asStudioError(cause).toWire();
        set((state) => ({ ...state, problems: withProblem(state.problems, { file: error.where.file ?? SELECTION, error }) }));
      }
    }
    const wanted = new Set(store.getState().checkpoints.open.map(({ id }) => id));
    for (const id of found.keys()) if (!wanted.has(id)) await worker.request('close', { checkpoint: id }).catch(() => {});
    set((state) => ({ ...state, open: state.open.flatMap(({ id }) => found.get(id) ?? []), opening: state.opening - 1 }));
    for (const id of wanted) if (!found.has(id)) changed(id);
  }

  return {
    drop: (transfer) => openPicked(files.dropped(transfer)),
    chooseFiles: () => openPicked(files.chooseFiles()),
    chooseFolder: () => openPicked(files.chooseFolder()),
    openSample: () => open('the sample family', () => give(() => worker.request('openSample', { baseUrl: files.sampleUrl }))),
    reopen,
    async close(id) {
      if (isBusy(store.getState().job)) return;
      try {
        await worker.request('close', { checkpoint: id });
      } catch (cause) {
        const error = asStudioError(cause).toWire();
        const file = store.getState().checkpoints.open.find((one) => one.id === id)?.name ?? id;
        set((state) => ({ ...state, problems: withProblem(state.problems, { file, error }) }));
        return;
      }
      set((state) => ({ ...state, open: state.open.filter((one) => one.id !== id) }));
      changed(id);
      store.setState({ kept: await files.kept.forget(id) });
    },
    async lookAtKept() {
      store.setState({ kept: await files.kept.list() });
    },
    reopenKept(keys) {
      const { kept } = store.getState();
      // All are asked for while the gesture lasts.
      const picking = keys.map((key) => files.kept.pick(key));
      return openPicked(
        Promise.allSettled(picking).then((answers) =>
          answers.flatMap((answer, i) => {
            if (answer.status === 'fulfilled') return answer.value;
            const error = asStudioError(answer.reason).toWire();
            set((state) => ({ ...state, problems: withProblem(state.problems, { file: kept.find(({ key }) => key === keys[i])?.name ?? SELECTION, error }) }));
            return [];
          }),
        ),
      );
    },
    async forgetKept(keys) {
      for (const key of keys) store.setState({ kept: await files.kept.forgetRoot(key) });
    },
    closeResults: () => store.setState({ results: null }),
    dismissProblem: (file) => set((state) => ({ ...state, problems: state.problems.filter((one) => one.file !== file) })),
  };
}

/** A result joined to what is open. Checkpoints opened again take their old place; a file that opens has no problem any more. */
export function joined(state: CheckpointsState, result: OpenResult): CheckpointsState {
  const fresh = new Map(result.checkpoints.map((one) => [one.id, one]));
  const known = new Set(state.open.map(({ id }) => id));
  const opened = new Set(result.checkpoints.flatMap(({ shards }) => shards.map(({ file }) => file.path)));
  const left = state.problems.filter(({ file }) => !opened.has(file));
  return {
    ...state,
    open: [...state.open.map((one) => fresh.get(one.id) ?? one), ...result.checkpoints.filter(({ id }) => !known.has(id))],
    problems: result.problems.reduce(withProblem, left),
    ignored: [...new Set([...state.ignored, ...result.ignored])],
  };
}

type Problem = CheckpointsState['problems'][number];

/** The latest problem of a file stands for it. */
function withProblem(problems: readonly Problem[], problem: Problem): readonly Problem[] {
  return [...problems.filter(({ file }) => file !== problem.file), problem];
}
