/** Time and timers that a test moves. */
import type { WatchClock } from '../../src/bytes/watchdog';

export class TestTime implements WatchClock {
  private time = 0;
  private readonly due = new Map<() => void, number>();

  now(): number {
    return this.time;
  }
  later(milliseconds: number, run: () => void): () => void {
    const timer = () => run();
    this.due.set(timer, this.time + milliseconds);
    return () => void this.due.delete(timer);
  }
  get timers(): number {
    return this.due.size;
  }
  /** Lets `milliseconds` go by, every timer at its time. */
  async pass(milliseconds: number): Promise<void> {
    for (const end = this.time + milliseconds; ; ) {
      const [run, at] = [...this.due].sort((a, b) => a[1] - b[1])[0] ?? [null, Infinity];
      this.time = Math.min(end, at);
      if (run === null || at > end) break;
      await this.fire(run);
    }
    await turn();
  }
  /** Lets `milliseconds` go by at once, timers late: a machine asleep, a frozen page. */
  async sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    for (const [run, at] of [...this.due]) if (at <= this.time) await this.fire(run);
  }

  private async fire(run: () => void): Promise<void> {
    this.due.delete(run);
    run();
    await turn();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A second goes by with every turn of the event loop in which a timer waits: what never ends is found out at once. */
export const FAST: WatchClock = (() => {
  let time = 0;
  return {
    now: () => time,
    later(milliseconds: number, run: () => void) {
      const timer = setImmediate(() => {
        time += milliseconds;
        run();
      });
      return () => clearImmediate(timer);
    },
  };
})();
