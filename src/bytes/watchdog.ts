/** Finding out what never ends: limits on what the platform has been asked for, in time in which this thread was awake. */
import { CancelledError } from './errors';

/** Milliseconds between two looks. */
const LOOK_MS = 1000;
/**
 * The most that lies between two looks. A longer gap was a machine asleep, a page frozen or throttled, a thread kept busy: of
 * those nothing can be said about what is waited for, so a gap counts as this much.
 */
const MOST_MS = 2 * LOOK_MS;

/** Time and timers; tests bring their own. */
export interface WatchClock {
  /** Milliseconds. */
  now(): number;
  /** Runs after `milliseconds`. Returns what calls it off. */
  later(milliseconds: number, run: () => void): () => void;
}

const REAL: WatchClock = {
  now: () => performance.now(),
  later(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};

export interface Watch {
  /** Milliseconds awake after which it counts as never ending. */
  readonly limitMs: number;
  /** What to reject with then. */
  readonly fault: (seconds: number) => Error;
  /** What was asked for is given up within a second after this is aborted. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting extends Watch {
  readonly since: number;
  reject(error: Error): void;
}

export class Watchdog {
  private readonly waiting = new Set<Waiting>();
  /** Milliseconds awake while something was waited for. */
  private awake = 0;
  private looked = 0;
  private callOff: (() => void) | null = null;

  constructor(private readonly clock: WatchClock = REAL) {}

  /** Settles as `act` does, or rejects when it has not within its limit: whatever it brings later is dropped. */
  async over<T>(watch: Watch, act: () => Promise<T>): Promise<T> {
    if (this.waiting.size === 0) this.wake();
    let waiting: Waiting | null = null;
    const given = new Promise<never>((_, reject) => this.waiting.add((waiting = { ...watch, since: this.awake, reject })));
    try {
      return await Promise.race([act(), given]);
    } finally {
      this.waiting.delete(waiting!);
      if (this.waiting.size === 0) this.callOff?.();
    }
  }

  /** Settles as `act` does, however long that takes, or rejects within a second after `signal` is aborted. */
  until<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    return this.over({ limitMs: Infinity, fault: () => new CancelledError(), signal }, act);
  }

  /** Resolves after `milliseconds`. */
  rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.clock.later(milliseconds, resolve));
  }

  private wake(): void {
    this.looked = this.clock.now();
    this.schedule();
  }

  private schedule(): void {
    this.callOff = this.clock.later(LOOK_MS, () => this.look());
  }

  private look(): void {
    const now = this.clock.now();
    this.awake += Math.min(now - this.looked, MOST_MS);
    this.looked = now;
    for (const one of this.waiting) {
      const waited = this.awake - one.since;
      if (one.signal?.aborted) one.reject(new CancelledError());
      else if (waited > one.limitMs) one.reject(one.fault(Math.round(waited / 1000)));
    }
    this.schedule();
  }
}

/** How fast what moved bytes was so far. */
class Speed {
  protected bytes = 0;
  protected ms = 0;

  /** Takes account of what has ended. */
  note(bytes: number, ms: number): void {
    this.bytes += bytes;
    this.ms += ms;
  }
}

/** Milliseconds that any read may take: a drive that has to spin up, a share on the network that is connected again. */
const LEAST_MS = 60_000;
/** A read may be this many times as slow as those before it. */
const SLOWER = 20;
/** Bytes a millisecond where nothing has been read yet: slower than any disk. */
const FIRST_RATE = 10_000;

/** How long a read may take, by its size and by how fast those before it were. */
export class ReadLimits extends Speed {
  /** Milliseconds. */
  of(bytes: number): number {
    const rate = this.bytes > 0 && this.ms > 0 ? this.bytes / this.ms : FIRST_RATE;
    return LEAST_MS + (SLOWER * bytes) / rate;
  }
}

/**
 * Milliseconds that any operation on a folder that is written to may take, when it moves no bytes. Longer than a read has: a share
 * whose server is started again, or a drive that frees its blocks, is worth waiting for before hours of work are stopped.
 */
const LEAST_WRITE_MS = 180_000;
/**
 * Bytes a millisecond of the slowest drive that is waited for. Closing a file is as slow as writing all of it: Chromium reads the whole
 * swap file for its checksum and, where a rename will not do, copies it; the command line waits until what the system has only taken
 * into memory is on the disk. USB sticks and shares over a slow radio link do 3 MB/s; 1 MB/s leaves such a drive both passes. A file
 * of 5 GB then has an hour and 26 minutes to be closed, one of 40 GB eleven hours: a false alarm costs more than a late one.
 */
const SLOWEST_WRITE = 1000;
/** What was slower than that may be so again, twice over and in two passes. */
const SLOWER_WRITE = 4;

/**
 * How long writing, or closing a file of so many bytes, may take. That writes before were fast shortens nothing: the system takes
 * bytes into memory at any speed, and a later operation waits for the disk.
 */
export class WriteLimits extends Speed {
  /** Milliseconds. */
  of(bytes: number): number {
    const measured = this.bytes > 0 ? this.ms / this.bytes : 0;
    return LEAST_WRITE_MS + bytes * Math.max(1 / SLOWEST_WRITE, SLOWER_WRITE * measured);
  }
}
