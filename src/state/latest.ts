/** Questions to a worker that a slider makes faster than it can be answered: one at a time, the latest next. */
import type { ClockPort } from './ports';

/**
 * A question that has rested so long overtakes the request of an older one: the worker gives that up. Overtaking at every
 * change would let a slow backend finish nothing while a slider moves.
 */
export const OVERTAKE_MS = 150;

export interface Latest {
  /** Wants the question asked: on the next frame, or once the one that is out is answered or has been waited for. */
  want(): void;
  /** No longer wants it; one that is out goes on. */
  drop(): void;
  readonly isOut: boolean;
}

export interface Asking {
  /** Whether the question may be asked at all: not while a job runs. */
  mayAsk(): boolean;
  /** Puts the question as it then stands; never rejects. What it brings counts only while `isLatest()`. */
  ask(isLatest: () => boolean): Promise<void>;
  /** Nothing is out any more and nothing wanted, or what was wanted may not be asked. */
  idle(): void;
}

export function latestWins(clock: ClockPort, { mayAsk, ask, idle }: Asking): Latest {
  let wanted = false;
  let scheduled = false;
  /** Number of the latest request, and whether it is still out. */
  let latest = 0;
  let isOut = false;
  let stopWaiting = () => {};

  async function send(): Promise<void> {
    if (!wanted) return;
    wanted = false;
    if (!mayAsk()) return idle();
    const request = ++latest;
    isOut = true;
    await ask(() => request === latest);
    if (request !== latest) return;
    isOut = false;
    if (wanted) want();
    else idle();
  }

  function want(): void {
    wanted = true;
    stopWaiting();
    if (isOut) stopWaiting = clock.later(OVERTAKE_MS, () => void send());
    else if (!scheduled) {
      scheduled = true;
      clock.frame(() => {
        scheduled = false;
        void send();
      });
    }
  }

  return {
    want,
    drop: () => {
      wanted = false;
    },
    get isOut() {
      return isOut;
    },
  };
}
