/** What the page calls. Drops become checkpoints, checkpoints a recipe, and every change of the recipe figures and a plan. */
import { asStudioError } from '../bytes/errors';
import { DEFAULT_CHOICES, type FitChoices } from '../merge/plan-types';
import type { RecipeChoices, RecipeText } from '../recipe/mergekit';
import type { Preset } from '../recipe/presets';
import type { Method, Recipe, RecipeModel } from '../recipe/types';
import type { BackendChoice } from '../worker/protocol';
import { fulfil, readAddress, rolesOf, unlikeOf, writeAddress } from './address';
import { withClosed, withExtraRows, withIntegerFrom, withLeftOut, withMethod, withModel, withOpened, withPreset, withRole, withRows, withScaling, withTwoLanguages } from './decisions';
import { createBesideControls, type BesideControls } from './beside';
import { createComparedViews } from './compared-views';
import { createEstimator } from './estimates';
import { createExplorer } from './explore';
import { rebase, record, redo, seal, startHistory, undo, type History } from './history';
import { createJobControls, type JobControls } from './job';
import { createKinship } from './kinship';
import { createOpeningControls, type OpeningControls } from './opening';
import { originOf } from './origin';
import { createPace } from './pace';
import { createPlanner } from './planner';
import type { ClockPort, FilePort, WorkerPort } from './ports';
import { readDraft } from './recipe-text';
import { comparedSeriesEstimates, seriesEstimates } from './series';
import { joinedSeries, renamedSeries, takenSeries } from './series-names';
import { snapshotEstimates } from './snapshots';
import type { StudioStore } from './store';
import { resumableOf } from './unfinished';
import { throttleEvents } from './throttle';
import { isBusy, type BackendState, type ChartView, type Decisions, type Hover, type Role, type SeriesState, type Theme, type ViewState, type WantedRecipe } from './types';
import { createViews, type ViewControls } from './views';

export interface Controller extends OpeningControls, JobControls, BesideControls, ViewControls {
  /** After the worker has died: another one, with everything that is open opened again. */
  restart(): Promise<void>;
  /** Starts the worker's backend; also to change it. */
  startBackend(choice: BackendChoice): Promise<void>;
  /** Bytes that a merge may hold, null: automatic. Starts the backend anew. */
  setMemory(bytes: number | null): Promise<void>;
  /** Measures both backends; what is in use stays. */
  calibrate(): Promise<void>;

  setRole(id: string, role: Role): void;
  setMethod(method: Method): void;
  applyPreset(preset: Preset['id']): void;
  /** `key` names what is edited: edits of one key in close succession are one step of undo. */
  setModel(index: number, patch: Partial<RecipeModel>, key: string): void;
  setRecipe(patch: Partial<Recipe>, key: string): void;
  /** A whole recipe, of ids of open checkpoints, the text it was read from, and choices where that holds any: one step of undo, roles included. */
  applyRecipe(recipe: Recipe, text: RecipeText | null, choices?: RecipeChoices): void;
  /** The YAML being edited; null: as the recipe is. */
  setDraft(text: string | null): void;
  /** The recipe a merged checkpoint was made by, in the place of the present one; nothing while a source is not open. */
  reopenRecipe(id: string): void;
  /** SFT and the last checkpoint of two runs, as the paper's three-model merge; nothing happens where only one run is open. */
  mergeTwoLanguages(): void;
  /** Carries on the interrupted merge at the destination, with its recipe; nothing while a source is not open. */
  resume(): Promise<void>;
  /** The one open checkpoint multiplied by a weight. */
  scaleAlone(): void;
  setShardBytes(bytes: number): void;
  leaveOut(model: string, tensors: readonly string[], leftOut: boolean): void;
  keepRowsOf(model: string | null): void;
  matchRows(by: 'id' | 'token'): void;
  keepInteger(tensor: string, from: string): void;
  setChoices(patch: Partial<FitChoices>): void;
  /** Ends a gesture: the next edit is a step of its own. */
  settle(): void;
  undo(): void;
  redo(): void;

  setChart(patch: Partial<ChartView>): void;
  /** What the pointer or the focus is on, null for nothing. */
  setHover(hover: Hover | null): void;
  setTheme(theme: Theme): void;
  /** Opens a panel, or closes it when it is the one open. */
  togglePanel(panel: NonNullable<ViewState['panel']>): void;
  closePanel(): void;
  /** Takes over what a link asks for. */
  readAddress(fragment: string): void;
  /** No longer waits for the checkpoints that a link's recipe names. */
  forgetLink(): void;
  /** The user has seen that the link was made with other checkpoints. */
  dismissUnlike(): void;
  /** The link to the present recipe and view, without `#`. */
  address(): string;
}

export function createController(store: StudioStore, worker: WorkerPort, files: FilePort, clock: ClockPort): Controller {
  const explore = createExplorer(store, worker, clock);
  const plan = createPlanner(store, worker, clock);
  const { refresh: refreshViews, ...views } = createViews(store, worker, clock);
  const kinship = createKinship(store, worker);
  const refresh = () => {
    explore();
    plan();
    refreshViews();
  };

  /** Edits are refused while a merge runs: its exact figures would not be of the recipe on the screen. */
  function change(step: (decisions: History<Decisions>) => History<Decisions>): void {
    const { decisions, job } = store.getState();
    if (isBusy(job)) return;
    const next = step(decisions);
    store.setState({ decisions: next });
    if (next.present !== decisions.present) refresh();
  }
  const edit = (key: string | null, apply: (decisions: Decisions) => Decisions) =>
    change((history) => record(history, apply(history.present), key, clock.now()));
  const editRecipe = (key: string | null, patch: Partial<Recipe>) => edit(key, (now) => ({ ...now, recipe: { ...now.recipe, ...patch } }));
  const openNow = () => store.getState().checkpoints.open;

  /**
   * A recipe that was dropped: applied when it reads and no job runs, else shown with what is wrong, until it is mended or what it
   * names is open.
   */
  function offer(text: string): void {
    store.setState({ draft: { text, dropped: true } });
    takeDraft();
  }
  function takeDraft(): void {
    const { draft, checkpoints, job: running } = store.getState();
    const reading = draft?.dropped && !isBusy(running) ? readDraft(draft.text, checkpoints.open) : null;
    if (reading === null || reading.recipe === null || reading.problems.length > 0) return;
    applyRecipe(reading.recipe, reading.text, reading.choices);
  }
  function applyRecipe(recipe: Recipe, text: RecipeText | null, choices?: RecipeChoices): void {
    edit(null, (now) => ({ ...now, recipe, text, choices: choices === undefined ? now.choices : { ...DEFAULT_CHOICES, ...choices }, roles: rolesOf(recipe, openNow(), now.roles) }));
    store.setState({ draft: null });
  }

  const { reopen, ...opening } = createOpeningControls(store, worker, files, (closed) => {
    kinship();
    if (closed === null && isBusy(store.getState().job)) {
      cameLate = true;
      return;
    }
    join(closed);
    takeSeries();
    takeOver();
    takeDraft();
    refresh();
  }, offer);

  /** Checkpoints came in while a job ran. They take part once it has ended: its figures would not be of a recipe with them. */
  let cameLate = false;
  function join(closed: string | null): void {
    const open = openNow();
    const { decisions } = store.getState();
    store.setState({ decisions: rebase(decisions, (step) => (closed === null ? withOpened(step, open) : withClosed(step, closed, open))) });
  }

  /**
   * Applies a link's recipe once everything it names is open and no job runs. One step of undo where there is any: a recipe that
   * was only guessed is none to go back to.
   */
  function takeOver(): void {
    const { wanted, decisions, job: running } = store.getState();
    const found = wanted === null || isBusy(running) ? null : fulfil(wanted, openNow(), decisions.present.roles);
    if (found === null) return;
    const next = { ...decisions.present, ...found };
    const isEdited = decisions.past.length > 0 || decisions.future.length > 0;
    store.setState({ wanted: null, unlike: unlikeOf(wanted!, openNow()), decisions: isEdited ? record(decisions, next, null, clock.now()) : startHistory(next) });
  }
  /** A link's series, as far as its checkpoints are open. */
  function takeSeries(): void {
    const { taken, left } = takenSeries(store.getState().wantedSeries, openNow());
    store.setState(({ series }) => ({ series: joinedSeries(series, taken), wantedSeries: left }));
  }
  const reports = throttleEvents(store, worker, clock);
  // A finished merge or scan has counted every tensor; what it counted stays until the recipe changes.
  const job = createJobControls(store, worker, files, reports, (outdated) => {
    const { job: ended, decisions } = store.getState();
    const { status } = ended;
    if (cameLate) {
      cameLate = false;
      join(null);
    }
    takeOver();
    takeDraft();
    if (outdated || store.getState().decisions.present !== decisions.present || (status !== 'finished' && status !== 'counted')) return refresh();
    plan();
    refreshViews();
  });

  const beside = createBesideControls(store, (apply) => edit(null, apply));
  createEstimator(store, worker, clock, (state) => [
    ...snapshotEstimates(state),
    ...(state.view.chart.tab === 'series' ? [...seriesEstimates(state), ...comparedSeriesEstimates(state)] : []),
  ]);
  createComparedViews(store, worker, clock);
  createPace(store, worker);

  const setView = (patch: Partial<ViewState>) => store.setState(({ view }) => ({ view: { ...view, ...patch } }));
  const setBackend = (patch: Partial<BackendState>) => store.setState(({ backend }) => ({ backend: { ...backend, ...patch } }));

  async function startBackend(choice: BackendChoice): Promise<void> {
    if (isBusy(store.getState().job)) return;
    setBackend({ choice, starting: true, problem: null });
    try {
      const { chosen } = store.getState().backend.memory;
      const report = await worker.request('start', { choice, ...(chosen === null ? {} : { memoryBytes: chosen }) });
      setBackend({ report, starting: false, memory: { chosen, automatic: report.automaticMemory ?? null } });
    } catch (cause) {
      setBackend({ problem: asStudioError(cause).toWire(), starting: false });
    }
    refresh();
  }

  async function setMemory(chosen: number | null): Promise<void> {
    const { job, backend } = store.getState();
    if (isBusy(job) || backend.starting || chosen === backend.memory.chosen) return;
    setBackend({ memory: { ...backend.memory, chosen } });
    await startBackend(backend.choice);
  }

  worker.onDeath((error) => store.setState({ worker: { problem: error.toWire(), restarting: false } }));
  async function restart(): Promise<void> {
    const { worker: state, backend } = store.getState();
    if (state.problem === null || state.restarting) return;
    store.setState({ worker: { ...state, restarting: true } });
    worker.restart();
    await reopen();
    // Unless that one died as well.
    if (store.getState().worker.restarting) store.setState({ worker: { problem: null, restarting: false } });
    await startBackend(backend.choice);
    await job.lookAtTarget();
  }

  return {
    ...opening,
    ...job,
    ...beside,
    ...views,
    restart,
    startBackend,
    setMemory,
    async calibrate() {
      if (isBusy(store.getState().job)) return;
      setBackend({ measuring: true, problem: null });
      try {
        setBackend({ report: await worker.request('calibrate', {}) });
      } catch (cause) {
        setBackend({ problem: asStudioError(cause).toWire() });
      }
      setBackend({ measuring: false });
    },

    setRole: (id, role) => edit(null, (now) => withRole(now, id, role, openNow())),
    setMethod: (method) => edit(null, (now) => withMethod(now, method)),
    applyPreset: (preset) => edit(null, (now) => withPreset(now, preset)),
    setModel: (index, patch, key) => edit(key, (now) => withModel(now, index, patch)),
    setRecipe: (patch, key) => editRecipe(key, patch),
    scaleAlone: () => edit(null, (now) => withScaling(now, openNow()) ?? now),
    applyRecipe,
    async resume() {
      const { merge } = store.getState().target.unfinished ?? {};
      const found = merge ? resumableOf(merge, openNow()) : null;
      if (found?.status !== 'ready' || isBusy(store.getState().job)) return;
      const { recipe, text, choices, shardBytes } = found;
      edit(null, (now) => ({ ...now, recipe, text, choices, shardBytes, roles: rolesOf(recipe, openNow(), now.roles) }));
      store.setState({ draft: null });
      await job.merge(true);
    },
    setDraft: (text) => store.setState({ draft: text === null ? null : { text, dropped: false } }),
    reopenRecipe(id) {
      const { checkpoints, recipes } = store.getState();
      const { open } = checkpoints;
      const merged = open.find((one) => one.id === id);
      const origin = merged ? originOf(merged, open, recipes) : null;
      if (origin?.status === 'ready') applyRecipe(origin.recipe, origin.text, origin.choices);
    },
    mergeTwoLanguages: () => edit(null, (now) => withTwoLanguages(now, openNow()) ?? now),
    setShardBytes: (shardBytes) => edit('shard size', (now) => ({ ...now, shardBytes })),
    leaveOut: (model, tensors, leftOut) => edit(null, (now) => withLeftOut(now, model, tensors, leftOut)),
    keepRowsOf: (model) => edit(null, (now) => withExtraRows(now, model)),
    matchRows: (by) => edit(null, (now) => withRows(now, by)),
    keepInteger: (tensor, from) => edit(null, (now) => withIntegerFrom(now, tensor, from)),
    setChoices: (patch) => edit(null, (now) => ({ ...now, choices: { ...now.choices, ...patch } })),
    settle: () => change(seal),
    undo: () => change(undo),
    redo: () => change(redo),

    // What was pointed at is on a chart that is no longer there.
    setChart: (patch) => store.setState(({ view, hover }) => ({ hover: patch.tab === undefined ? hover : null, view: { ...view, chart: { ...view.chart, ...patch } } })),
    setHover(hover) {
      const { hover: before } = store.getState();
      const same = before?.layer === hover?.layer && before?.module === hover?.module && before?.tensor === hover?.tensor;
      if (!same) store.setState({ hover });
    },
    setTheme: (theme) => setView({ theme }),
    togglePanel: (panel) => setView({ panel: store.getState().view.panel === panel ? null : panel }),
    closePanel: () => setView({ panel: null }),
    readAddress(fragment) {
      const { wanted, chart, series } = readAddress(fragment);
      store.setState(({ view }) => ({ wanted, wantedSeries: series, view: { ...view, chart: { ...view.chart, ...chart } } }));
      takeSeries();
      if (wanted === null || isBusy(store.getState().job)) return;
      takeOver();
      refresh();
    },
    forgetLink: () => store.setState({ wanted: null }),
    dismissUnlike: () => store.setState({ unlike: [] }),
    address: () => {
      const { decisions, view, wanted, series, wantedSeries } = store.getState();
      const names = new Map(openNow().map(({ id, name }) => [id, name]));
      const drawn = joinedSeries(wantedSeries, renamedSeries(series, (id) => names.get(id)));
      if (wanted !== null) return fragmentOf(wanted, view.chart, drawn);
      return writeAddress(decisions.present, openNow(), view.chart, drawn);
    },
  };
}

/** A link not yet fulfilled stays in the address until it is or is forgotten: reloading must not lose it. */
function fragmentOf(wanted: WantedRecipe, chart: ChartView, series: SeriesState): string {
  return writeAddress(wanted, wanted.names.map((name) => ({ id: name, name, fingerprint: wanted.fingerprints[name] ?? '' })), chart, series);
}
