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
      await nextTask();
      this.since = performance.now();
    }
    if (this.signal?.aborted === true) throw new CancelledError();
  }
}

/** Resolves in a task of its own, at once: timers in a row wait 4 ms each, and up to a second in a hidden tab. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
