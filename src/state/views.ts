/**
 * The views of the held sample that show more than one setting: asked of the worker while a chart shows them, again when
 * something they depend on changes, and not when something else does. Of each the latest question wins. The worker answers one
 * thing at a time, so a view that takes long is asked again only when the figures have come and nothing changes any more:
 * otherwise every figure of a moving slider would wait for it.
 */
import { asStudioError } from '../bytes/errors';
import type { Recipe } from '../recipe/types';
import { isMergeable } from './decisions';
import { latestWins, type Latest } from './latest';
import type { ClockPort, WorkerPort } from './ports';
import type { StudioStore } from './store';
import { isBusy, type Question, type ViewName, type Viewed } from './types';

export const VIEW_NAMES = ['surface', 'slackCurve', 'effect', 'distribution'] as const satisfies readonly ViewName[];

/** Milliseconds within which a view answers every step of a slider together with the figures. */
export const LIVE_MS = 40;
/** How long nothing must have changed before a slower one is asked again. */
export const REST_MS = 150;

export interface ViewControls {
  /** Shows a view: its answers arrive in the store until `lookAway`. */
  look<N extends ViewName>(name: N, question: Question<N>): void;
  /** Stops asking. What was answered stays, so that coming back to an unchanged recipe shows it at once. */
  lookAway(name: ViewName): void;
}

/** What is never read by a view: where the result goes and in which dtype. */
const asRead = ({ outDtype: _, tokenizerFrom: _from, ...recipe }: Recipe) => recipe;

/** The part of the recipe that a view's answer depends on. Two recipes that are alike in it have the same answer. */
const READS: { readonly [N in ViewName]: (recipe: Recipe, question: Question<N>) => unknown } = {
  // Every pair of densities is in the answer, and figures before reserving know neither lambda nor slack.
  surface: (recipe, { surface: { x, y } }) => {
    const { slack: _slack, lambda: _lambda, normalize: _normalize, method: _method, ...rest } = asRead(recipe);
    return { ...rest, models: recipe.models.map((model, i) => (i === x || i === y ? { ...model, density: null } : model)) };
  },
  slackCurve: (recipe) => ({ ...asRead(recipe), slack: { ...recipe.slack, s: null } }),
  effect: (recipe) => asRead(recipe),
  distribution: ({ base, models, rules }) => ({ base, models: models.map(({ model }) => model), rules }),
};

export function createViews(store: StudioStore, worker: WorkerPort, clock: ClockPort): ViewControls & { readonly refresh: () => void } {
  const questions: { [N in ViewName]?: Question<N> | undefined } = {};
  /** What the answers in the store were given to. */
  const answered: Partial<Record<ViewName, string>> = {};
  /** Those whose last answer took longer than LIVE_MS. */
  const slow = new Set<ViewName>();
  /** Each ends the wait for a slow one. */
  const resting: Partial<Record<ViewName, () => void>> = {};
  /** Counts samples and backends: the same question to another of them has another answer. */
  let source = 0;

  const set = <N extends ViewName>(name: N, patch: Partial<Viewed<N>>) =>
    store.setState(({ views }) => ({ views: { ...views, [name]: { ...views[name], ...patch } } }));

  function keyOf<N extends ViewName>(name: N, question: Question<N>): string {
    const { recipe, choices } = store.getState().decisions.present;
    return JSON.stringify([source, READS[name](recipe, question), choices, question]);
  }

  async function ask<N extends ViewName>(name: N, isLatest: () => boolean): Promise<void> {
    const question = questions[name] as Question<N>;
    const { recipe, choices } = store.getState().decisions.present;
    const key = keyOf(name, question);
    const asked = clock.now();
    try {
      const reply = await worker.request(name, { recipe, choices, ...question });
      if (!isLatest()) return;
      if (clock.now() - asked > LIVE_MS) slow.add(name);
      else slow.delete(name);
      answered[name] = key;
      set(name, { answer: { question, reply }, problem: null });
    } catch (cause) {
      const error = asStudioError(cause).toWire();
      if (isLatest() && error.code !== 'cancelled') set(name, { problem: error });
    }
  }

  const latest = Object.fromEntries(
    VIEW_NAMES.map((name) => [
      name,
      latestWins(clock, {
        mayAsk: () => questions[name] !== undefined && !isBusy(store.getState().job),
        ask: (isLatest) => ask(name, isLatest),
        idle: () => set(name, { loading: false }),
      }),
    ]),
  ) as Record<ViewName, Latest>;

  function atRest(name: ViewName): void {
    resting[name] = clock.later(REST_MS, () => {
      if (store.getState().figures.loading) atRest(name);
      else latest[name].want();
    });
  }

  function refreshOne<N extends ViewName>(name: N): void {
    const question = questions[name] as Question<N> | undefined;
    const { decisions, backend, job } = store.getState();
    resting[name]?.();
    if (question === undefined || isBusy(job)) return;
    // What is out may be of another recipe and would replace the right answer: then it is asked again.
    const isAnswered = !latest[name].isOut && answered[name] === keyOf(name, question);
    if (!isMergeable(decisions.present) || isAnswered) {
      latest[name].drop();
      set(name, { loading: latest[name].isOut, problem: null });
      return;
    }
    set(name, { loading: true });
    if (backend.starting) return;
    if (slow.has(name)) atRest(name);
    else latest[name].want();
  }
  const refresh = () => VIEW_NAMES.forEach((name) => refreshOne(name));

  worker.subscribe(({ event }) => {
    if (event !== 'sample' && event !== 'backend') return;
    source++;
    refresh();
  });
  return {
    refresh,
    look(name, question) {
      (questions as Record<ViewName, unknown>)[name] = question;
      refreshOne(name);
    },
    lookAway(name) {
      questions[name] = undefined;
      resting[name]?.();
      latest[name].drop();
      set(name, { loading: false });
    },
  };
}
