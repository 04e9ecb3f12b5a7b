/**
 * Hashing beside the studio's thread: of whole files while they are read again, where it is what verification waits for, and of the
 * pieces that are written, while the next is made. A worker that ends costs nothing: see `piece`, and who reads a file.
 */
import { letGo } from '../bytes/buffer-ring';
import { StudioError } from '../bytes/errors';
import { HASHING_DIED, type FileHash, type Hashing } from '../bytes/hashing';
import { pieceDigest } from '../bytes/piece-digest';
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

type Answer = Exclude<FromHashWorker, { readonly failed: string }>;

interface Asked {
  resolve(answer: Answer): void;
  reject(error: StudioError): void;
}

/** A worker, and what it was asked: it answers the oldest first. */
class Hasher {
  private readonly asked: Asked[] = [];
  private death: StudioError | null = null;

  constructor(
    private readonly worker: HashWorker,
    private readonly watchdog: Watchdog,
  ) {
    worker.listen(
      (answer) => void ('failed' in answer ? this.die(answer.failed) : this.asked.shift()?.resolve(answer)),
      (reason) => void this.die(reason),
    );
  }

  get isDead(): boolean {
    return this.death !== null;
  }

  /** Rejects with HASHING_DIED. */
  ask(message: ToHashWorker, transfer: ArrayBuffer[]): Promise<Answer> {
    if (this.death) return Promise.reject(this.death);
    const answer = new Promise<Answer>((resolve, reject) => {
      this.worker.post(message, transfer);
      this.asked.push({ resolve, reject });
    });
    return this.watchdog.over({ limitMs: SILENT_MS, fault: (seconds) => this.die(`it gave no answer for ${seconds} seconds`) }, () => answer);
  }

  private die(reason: string): StudioError {
    const death = (this.death = new StudioError('internal', HASHING_DIED, `a worker that hashes files is gone: ${reason}`));
    this.worker.terminate();
    for (const { reject } of this.asked.splice(0)) reject(death);
    return death;
  }
}

/** Where a worker is, or will be when it is needed. */
interface Place {
  hasher: Hasher | null;
  /** Pieces whose digests are asked for; one at a time is copied. */
  waiting: number;
  before: Promise<unknown>;
  /** The last copy, for the next. */
  spare: ArrayBuffer | null;
}

/** So many workers at most, each started when it is needed, and anew after it has ended. Files take them in turn. */
export class HashWorkers implements Hashing {
  private readonly places: readonly Place[];
  private files = 0;

  constructor(
    most: number,
    private readonly spawn: () => HashWorker,
    private readonly watchdog = new Watchdog(),
  ) {
    this.places = Array.from({ length: most }, () => ({ hasher: null, waiting: 0, before: Promise.resolve(), spare: null }));
  }

  /** Rejects with StudioError HASHING_DIED, in either call, when its worker ends: what it was given is gone. Throws it where none can be started. */
  file(): FileHash {
    const file = this.files++;
    // What is read again is written: the next piece, if there is one, is of another export.
    for (const place of this.places) {
      if (place.spare) letGo(place.spare);
      place.spare = null;
    }
    const hasher = this.hasherAt(this.places[file % this.places.length]!);
    return {
      update: async (piece) => {
        const { hex: digest, back } = await hasher.ask({ file, piece }, [piece.buffer]);
        return { digest, buffer: back!.buffer };
      },
      hex: async () => (await hasher.ask({ file, end: true }, [])).hex,
    };
  }

  /**
   * Of a copy: were the bytes themselves moved, they would be gone with a worker that ends, and with them the only digest of what the
   * backend gave. Into memory that is used again a copy costs a tenth of the digest. Where the worker is gone it is made here.
   */
  piece(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const place = this.places.reduce((least, other) => (other.waiting < least.waiting ? other : least));
    place.waiting++;
    const digest = place.before.then(() => this.digest(place, bytes)).finally(() => place.waiting--);
    place.before = digest.catch(() => {});
    return digest;
  }

  private async digest(place: Place, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    try {
      const room = place.spare && place.spare.byteLength >= bytes.length ? place.spare : new ArrayBuffer(bytes.length);
      place.spare = null;
      const piece = new Uint8Array(room, 0, bytes.length);
      piece.set(bytes);
      const { hex, back } = await this.hasherAt(place).ask({ piece }, [room]);
      place.spare = back!.buffer;
      return hex;
    } catch {
      // No worker, or no room for a copy.
      return pieceDigest(bytes);
    }
  }

  /** Throws StudioError HASHING_DIED where no worker can be started. */
  private hasherAt(place: Place): Hasher {
    try {
      if (!place.hasher || place.hasher.isDead) place.hasher = new Hasher(this.spawn(), this.watchdog);
      return place.hasher;
    } catch (error) {
      throw new StudioError('internal', HASHING_DIED, `no worker that hashes files: ${String(error)}`);
    }
  }
}
