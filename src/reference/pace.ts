import { CancelledError } from '../bytes/errors';

/** How long the reference computes before it lets other events in: a worker must be able to receive a cancel. */
const BUSY_MILLISECONDS = 30;

/** Cancellation and courtesy of one call. */
export class Pace {
  private since = performance.now();

  constructor(private readonly signal: AbortSignal | undefined) {}

  /** Lets waiting events run when the last ones ran a while ago. Throws CancelledError once the signal is aborted. */
  async pause(): Promise<void> {
    if (performance.now() - this.since > BUSY_MILLISECONDS) {
      // A macrotask: microtasks alone would keep messages waiting.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.since = performance.now();
    }
    if (this.signal?.aborted === true) throw new CancelledError();
  }
}
