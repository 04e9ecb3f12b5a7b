/**
 * A backend whose operations wait for each other, so that exploring during a merge shares the device group by group and both
 * keep within one budget of memory.
 */
import { CancelledError } from '../bytes/errors';
import { Watchdog } from '../bytes/watchdog';
import { throwIfAborted } from '../merge/abort';
import type { Backend, Group, Held } from '../merge/backend';

/**
 * `backend` with holds and evaluations one at a time, and groups as many as it takes, in the order of the calls. A group that is
 * aborted is waited for a second at most, by nobody then: a device may never answer, and the backend knows what it has under way.
 */
export function serialised(backend: Backend, watchdog = new Watchdog()): Backend {
  /** The last operation that nothing else may run beside. */
  let tail: Promise<unknown> = Promise.resolve();
  /** Groups since then, in lanes of which each has one at a time. */
  let lanes: Promise<unknown>[] = [];
  let merges = 0;
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const result = Promise.all([tail, ...lanes]).then(act);
    tail = result.catch(() => {});
    lanes = [];
    return result;
  };
  const beside = <T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> => {
    const lane = merges++ % (backend.concurrency ?? 1);
    const before = lanes[lane] ?? tail;
    const begin = () => {
      throwIfAborted(signal);
      return act();
    };
    const result = watchdog.until(signal, () => before.then(begin));
    // One that is given up while it waits does not let the next one pass by what it waited for.
    lanes[lane] = before.then(() => result).catch(() => {});
    return result;
  };
  return {
    get info() {
      return backend.info;
    },
    get chunkBytes() {
      return backend.chunkBytes;
    },
    get concurrency() {
      return backend.concurrency ?? 1;
    },
    ...(backend.heldBytes ? { heldBytes: (group: Group) => backend.heldBytes!(group) } : {}),
    get buffers() {
      return backend.buffers;
    },
    merge: (group, parameters, read, write, options) => beside(options?.signal, () => backend.merge(group, parameters, read, write, options)),
    tally: (group, parameters, tallies, read, options) => beside(options?.signal, () => backend.tally(group, parameters, tallies, read, options)),
    hold: async (group, read) => {
      const held = await inTurn(() => backend.hold(group, read));
      // It may have waited for a long merge; nobody wants the answer to a superseded question.
      const unlessAborted = <T>(signal: AbortSignal | undefined, act: () => Promise<T>) =>
        inTurn(async () => {
          if (signal?.aborted) throw new CancelledError();
          return act();
        });
      return {
        group: held.group,
        evaluate: (parameters, signal) => unlessAborted(signal, () => held.evaluate(parameters, signal)),
        surface: (parameters, request, signal) => unlessAborted(signal, () => held.surface(parameters, request, signal)),
        slackCurve: (parameters, request, signal) => unlessAborted(signal, () => held.slackCurve(parameters, request, signal)),
        effect: (parameters, signal) => unlessAborted(signal, () => held.effect(parameters, signal)),
        distribution: (slot, signal) => unlessAborted(signal, () => held.distribution(slot, signal)),
        tally: (parameters, tallies, signal) => unlessAborted(signal, () => held.tally(parameters, tallies, signal)),
        release: () => held.release(),
      } satisfies Held;
    },
    // A merge asks for it while it reads: to wait for the merge would be to wait for ever.
    adapt: (request, signal) => watchdog.until(signal, () => backend.adapt(request, signal)),
    // After what is under way, which may be another request's.
    dispose: () => void inTurn(async () => backend.dispose()),
  };
}
