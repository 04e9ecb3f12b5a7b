/** Workers that this thread gives a part of its work to, and is told of when they end. */
import { hasEnded, holdOwnName, nameFor, SILENT_END } from './lifeline';
import { spawnModule } from './spawn';

/** What such a worker says first. */
interface Alive {
  readonly alive: true;
}

export interface PartWorker<To, From> {
  post(message: To, transfer: ArrayBuffer[]): void;
  /** Called once, before anything is posted. */
  listen(onMessage: (message: From) => void, onDeath: (reason: string) => void): void;
  terminate(): void;
}

/** Starts the module at `script`, which calls `serveHere`. */
export function spawnPart<To, From extends object>(script: string, what: string): PartWorker<To, From> {
  const name = nameFor(what);
  const worker = spawnModule(script, name);
  let isOver = false;
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      const die = (reason: string) => {
        if (isOver) return;
        isOver = true;
        onDeath(reason);
      };
      worker.addEventListener('message', ({ data }: MessageEvent<From | Alive>) => {
        if ('alive' in data) void hasEnded(name).then(() => die(SILENT_END));
        else onMessage(data);
      });
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        die(event.message || 'its script did not load');
      });
      worker.addEventListener('messageerror', () => die('a message could not be read'));
    },
    terminate() {
      isOver = true;
      worker.terminate();
    },
  };
}

/** The worker's side: gives every message to `receive`. It holds its name before it answers any, so that its end is never missed after that. */
export function serveHere<To>(receive: (message: To) => void): void {
  const isHeld = holdOwnName();
  void isHeld.then(() => self.postMessage({ alive: true } satisfies Alive));
  self.addEventListener('message', ({ data }: MessageEvent<To>) => void isHeld.then(() => receive(data)));
}
