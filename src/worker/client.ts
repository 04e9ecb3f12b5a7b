/** The page's side of the worker: typed requests, events, and no promise left waiting when the worker dies. */
import { StudioError, asStudioError, fromWire } from '../bytes/errors';
import { hasEnded, nameFor, SILENT_END } from './lifeline';
import workerScript from './main?worker&url';
import type { FromWorker, Reply, RequestName, RequestPayload, ToWorker, WorkerEvent } from './protocol';
import { spawnModule } from './spawn';

export { openKeptHandles } from '../files/kept-handles';
export { canWriteFolders, chooseDestination, chooseFiles, chooseFolder, dropped, nowhereToWrite, save } from '../files/pick';

/** The part of Worker the client uses. */
export interface WorkerLike {
  postMessage(message: ToWorker): void;
  addEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void;
  terminate(): void;
}
/** `isDead` resolves if the worker ends without an event: browsers give none when they end one that is out of memory. */
export interface Spawned {
  readonly worker: WorkerLike;
  isDead(): Promise<void>;
}

interface Pending {
  resolve(reply: unknown): void;
  reject(error: StudioError): void;
}

/**
 * Starts the worker at once. When it dies (an error it did not catch, a message that cannot be read, its end) every pending
 * request rejects with a StudioError `internal` `worker-died`, as does every later one until `restart`. A new worker knows
 * nothing of the old one's checkpoints or backend. Requests have no time limit: merging 40 GB takes as long as it takes.
 */
export class WorkerClient {
  private pending = new Map<number, Pending>();
  private readonly listeners = new Set<(event: WorkerEvent) => void>();
  private readonly mourners = new Set<(error: StudioError) => void>();
  private nextId = 1;
  private worker: WorkerLike | null = null;
  private cause = 'not started';

  constructor(private readonly spawn: () => Spawned = spawnWorker) {
    this.restart();
  }

  /** Resolves with the reply or rejects with a StudioError; branch on its `code`. */
  request<N extends RequestName>(name: N, payload: RequestPayload<N>): Promise<Reply<N>> {
    return new Promise<Reply<N>>((resolve, reject) => {
      if (!this.worker) {
        reject(died(this.cause));
        return;
      }
      const id = this.nextId++;
      this.pending.set(id, { resolve: resolve, reject });
      try {
        this.worker.postMessage({ id, request: name, payload } as ToWorker);
      } catch (error) {
        this.pending.delete(id);
        reject(asStudioError(error));
      }
    });
  }

  /** Calls `listener` with every event the worker sends unasked. Returns what ends that. */
  subscribe(listener: (event: WorkerEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls `listener` when the worker dies of itself, with what every request rejects with until `restart`. */
  onDeath(listener: (error: StudioError) => void): void {
    this.mourners.add(listener);
  }

  /** Ends the worker, whatever it is doing, and starts another. */
  restart(): void {
    this.end('restarted');
    const { worker, isDead } = this.spawn();
    this.worker = worker;
    const onDeath = (cause: string) => {
      if (this.worker !== worker) return;
      this.end(cause);
      for (const listener of this.mourners) listener(died(cause));
    };
    let isAlive = false;
    worker.addEventListener('message', (event) => {
      if (this.worker !== worker) return;
      if (!isAlive) {
        isAlive = true;
        void isDead().then(() => onDeath(SILENT_END));
      }
      this.receive((event as MessageEvent<FromWorker>).data);
    });
    worker.addEventListener('messageerror', () => onDeath('a message could not be read'));
    worker.addEventListener('error', (event) => onDeath((event as Partial<ErrorEvent>).message ?? 'its script did not load'));
  }

  /** Ends the worker. Pending requests reject. */
  terminate(): void {
    this.end('terminated');
  }

  private end(cause: string): void {
    this.cause = cause;
    this.worker?.terminate();
    this.worker = null;
    const orphans = this.pending;
    this.pending = new Map();
    for (const { reject } of orphans.values()) reject(died(cause));
  }

  private receive(message: FromWorker): void {
    if ('event' in message) {
      for (const listener of this.listeners) listener(message);
      return;
    }
    const pending = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.ok) pending?.resolve(message.reply);
    else pending?.reject(fromWire(message.error));
  }
}

const died = (cause: string) => new StudioError('internal', 'worker-died', `the worker died: ${cause}`, { actual: cause });

function spawnWorker(): Spawned {
  const name = nameFor('studio');
  // It holds its name before it answers anything.
  return { worker: spawnModule(workerScript, name), isDead: () => hasEnded(name) };
}
