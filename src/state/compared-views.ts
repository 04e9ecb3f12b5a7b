/**
 * The compared snapshot's answers to the view on the screen. The worker lets the latest question of a name win, so the snapshot's
 * is asked only once the present recipe's has been answered; if that one comes in between all the same, again after it.
 */
import { asStudioError } from '../bytes/errors';
import { trimsAndElects } from '../recipe/methods';
import type { ClockPort, WorkerPort } from './ports';
import { snapshotEstimates } from './snapshots';
import type { StudioStore } from './store';
import { isBusy, type ChartView, type ComparedView, type ComparedViewName, type Question, type StudioState } from './types';

/** The present view must rest so long: a slider that moves needs the worker for itself. */
export const REST_MS = 200;

const TABS: Partial<Record<ChartView['tab'], ComparedViewName>> = { effect: 'effect', slack: 'slackCurve' };

/** What to ask of the snapshot: the question that the present view has answered, in the snapshot's order of models. */
function wantedOf<N extends ComparedViewName>(name: N, state: StudioState) {
  const [compared] = snapshotEstimates(state);
  const { loading, answer } = state.views[name];
  if (!compared || loading || answer === null) return null;
  const { recipe, choices } = compared;
  const asked: Partial<Question<'slackCurve'>> = answer.question;
  if (asked.slack === undefined) return { recipe, choices, question: answer.question };
  const prefer = recipe.models.findIndex(({ model }) => model === recipe.slack.prefer);
  if (!trimsAndElects(recipe.method) || prefer < 0) return null;
  return { recipe, choices, question: { slack: { ...asked.slack, prefer } } as unknown as Question<N> };
}

/** Keeps `comparedViews` of the store at the snapshot's answers while it is compared and the view's tab is shown. */
export function createComparedViews(store: StudioStore, worker: WorkerPort, clock: ClockPort): void {
  let asking = false;
  let callOff = () => {};
  /** Counts samples and backends. */
  let source = 0;

  async function proceed<N extends ComparedViewName>(name: N): Promise<void> {
    const state = store.getState();
    const wanted = wantedOf(name, state);
    if (asking || wanted === null || state.backend.starting || isBusy(state.job)) return;
    const key = JSON.stringify([source, wanted]);
    if (state.comparedViews[name]?.key === key) return;
    const keep = (found: Pick<ComparedView<N>, 'reply' | 'problem'>) =>
      store.setState(({ comparedViews }) => ({
        comparedViews: { ...comparedViews, [name]: { key, snapshot: state.snapshots.compared, question: wanted.question, ...found } },
      }));
    asking = true;
    try {
      const { recipe, choices, question } = wanted;
      const reply = await worker.request(name, { recipe, choices, ...question });
      asking = false;
      keep({ reply, problem: null });
    } catch (cause) {
      asking = false;
      const problem = asStudioError(cause).toWire();
      // Cancelled by the present recipe's question or because a checkpoint was closed: what follows that asks again.
      if (problem.code !== 'cancelled') keep({ reply: null, problem });
    }
    later();
  }

  function later(): void {
    callOff();
    const name = TABS[store.getState().view.chart.tab];
    if (name !== undefined && store.getState().snapshots.compared !== null) callOff = clock.later(REST_MS, () => void proceed(name));
  }

  store.subscribe((now, before) => {
    const changed = (['views', 'snapshots', 'checkpoints', 'backend', 'job'] as const).some((part) => now[part] !== before[part]);
    if (changed || now.view.chart.tab !== before.view.chart.tab) later();
  });
  worker.subscribe(({ event }) => {
    if (event !== 'sample' && event !== 'backend') return;
    source++;
    later();
  });
}
