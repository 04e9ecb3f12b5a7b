/**
 * Hashing files beside the thread that reads them. `crypto.subtle` takes no message in parts, so the digest of a whole file is the
 * studio's own code at 200 MB/s: on the reading thread it would be what verification waits for.
 */
import { StudioError } from '../bytes/errors';
import { HASHING_DIED, type FileHash } from '../bytes/file-hash';
import { Watchdog } from '../bytes/watchdog';
import type { FromHashWorker, ToHashWorker } from './hash-serving';

export interface HashWorker {
  post(message: ToHashWorker, transfer: ArrayBuffer[]): void;
  /** Called once, before anything is posted. */
  listen(onMessage: (message: FromHashWorker) => void, onDeath: (reason: string) => void): void;
  terminate(): void;
}

/** Milliseconds awake without an answer after which a worker counts as dead: a piece takes a tenth of a second. */
const SILENT_MS = 180_000;

interface Asked {
  resolve(hex: string | null): void;
  reject(error: StudioError): void;
}

/** A worker for each file that is hashed at the same time; files take them in turn. */
export class HashWorkers {
  private workers: (HashWorker | undefined)[] = [];
  /** The oldest first, of each file. */
  private readonly asked = new Map<number, Asked[]>();
  private next = 0;

  constructor(
    private readonly most: number,
    private readonly spawn: () => HashWorker,
    private readonly watchdog = new Watchdog(),
  ) {}

  readonly hash = (): FileHash => {
    const file = this.next++;
    const worker = this.worker(file % this.most);
    let before: Promise<unknown> = Promise.resolve();
    return {
      // One piece is hashed while the next is read and posted: what waits is bounded by two.
      update: async (piece) => {
        await before;
        before = this.ask(worker, { file, piece }, [piece.buffer]);
        before.catch(() => {});
      },
      hex: async () => {
        await before;
        return (await this.ask(worker, { file, end: true }, []))!;
      },
    };
  };

  private worker(at: number): HashWorker {
    const known = this.workers[at];
    if (known) return known;
    const worker = this.spawn();
    worker.listen(
      ({ file, hex }) => {
        const own = this.asked.get(file);
        if (hex !== null) this.asked.delete(file);
        own?.shift()?.resolve(hex);
      },
      (reason) => this.die(reason),
    );
    return (this.workers[at] = worker);
  }

  private ask(worker: HashWorker, message: ToHashWorker, transfer: ArrayBuffer[]): Promise<string | null> {
    if (!this.workers.includes(worker)) return Promise.reject(died('it ended before'));
    const answer = new Promise<string | null>((resolve, reject) => {
      const own = this.asked.get(message.file) ?? [];
      this.asked.set(message.file, own);
      own.push({ resolve, reject });
      worker.post(message, transfer);
    });
    const fault = (seconds: number) => {
      this.die(`it gave no answer for ${seconds} seconds`);
      return died('it gave no answer');
    };
    return this.watchdog.over({ limitMs: SILENT_MS, fault }, () => answer);
  }

  /** What is asked rejects; another file starts with new workers. */
  private die(reason: string): void {
    for (const worker of this.workers) worker?.terminate();
    for (const { reject } of [...this.asked.values()].flat()) reject(died(reason));
    this.workers = [];
    this.asked.clear();
  }
}

const died = (reason: string) => new StudioError('internal', HASHING_DIED, `a worker that hashes files is gone: ${reason}`);
