/** While a job runs the screen stays on: a machine that falls asleep stops reading and writing. */
import type { StudioStore } from '../../state/store';

/** The parts of `navigator` and `document` this needs; tests bring their own. */
interface Awake {
  readonly wakeLock?: { request(type: 'screen'): Promise<{ release(): Promise<void> }> } | undefined;
  readonly document: Pick<Document, 'visibilityState' | 'addEventListener'>;
}

/**
 * Holds a screen wake lock from the start of a job to its end; not while it is paused. Browsers take the lock away from a hidden
 * page, so it is asked for again when the page is shown. Where there is none, or it is refused (a low battery), the job runs as
 * well as the machine lets it.
 */
export function keepAwake(store: StudioStore, { wakeLock, document: page }: Awake = { wakeLock: navigator.wakeLock, document }): void {
  if (!wakeLock) return;
  let held: Promise<{ release(): Promise<void> } | null> | null = null;
  const isRunning = () => ['running', 'cancelling'].includes(store.getState().job.status);
  const ask = () => {
    held = wakeLock.request('screen').catch(() => null);
  };
  const giveBack = () => {
    void held?.then((lock) => lock?.release()).catch(() => {});
    held = null;
  };
  store.subscribe(() => {
    if (isRunning() && !held) ask();
    else if (!isRunning() && held) giveBack();
  });
  page.addEventListener('visibilitychange', () => {
    if (page.visibilityState !== 'visible' || !isRunning()) return;
    giveBack();
    ask();
  });
}
