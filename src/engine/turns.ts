/**
 * Which groups have the device: two at a time, so that one is uploaded while the other is computed or read back, as far as their
 * buffers fit its budget together; in the order in which they were given. A group may have to wait until what was given before it is
 * written. So none waits for one that was given after it: where an earlier one finds no room, later ones give theirs back.
 */
import { CancelledError } from '../bytes/errors';
import { throwIfAborted } from '../merge/abort';

/** Groups on the device at the same time. */
export const TOGETHER = 2;

/** Groups that end after one found no room until there are several at a time again: twice as many after every such one. */
const QUIET = 16;

/** A group's time on the device. */
export interface Stay {
  /** Aborted where it is to give back what it has, and begin again when it is let in again. */
  readonly cleared: AbortSignal;
  /** Whether there was another group at any time of it. */
  hadCompany(): boolean;
  /** Its buffers are given back. `finished`: all of its results are on the host, so that it does not come again unless it was cleared. Once. */
  leave(finished: boolean): void;
}

interface Asked {
  /** Bytes of its buffers, and of all there may be: as they are when it is let in. */
  readonly bytes: () => number;
  readonly room: () => number;
  readonly signal: AbortSignal | undefined;
}

/** One group's, from when it is given until it ends. */
export class Place {
  isFinished = false;
  /** While it has the device. */
  present: { readonly bytes: number; hadCompany: boolean; readonly clearing: AbortController } | null = null;
  /** While it waits for it. */
  waiting: { readonly asked: Asked; readonly letIn: (stay: Stay) => void } | null = null;
}

export class Turns {
  private readonly places: Place[] = [];
  private most = TOGETHER;
  /** Groups that ended since there is one at a time, and as how many as end there are several. */
  private ended = 0;
  private enough = QUIET / 2;

  /** `onAlone` hears of every group before it has the device to itself. */
  constructor(private readonly onAlone: () => void = () => {}) {}

  /** A place behind all there are. */
  take(): Place {
    const place = new Place();
    this.places.push(place);
    return place;
  }

  /** The group has ended, however that came about. */
  end(place: Place): void {
    this.places.splice(this.places.indexOf(place), 1);
    this.letIn();
  }

  /** Resolves when the group may use the device. Rejects with CancelledError when that is not wanted any more. */
  async enter(place: Place, asked: Asked): Promise<Stay> {
    throwIfAborted(asked.signal);
    let cancel = () => {};
    try {
      return await new Promise<Stay>((resolve, reject) => {
        cancel = () => {
          place.waiting = null;
          reject(new CancelledError());
        };
        asked.signal?.addEventListener('abort', cancel);
        place.waiting = { asked, letIn: resolve };
        this.letIn();
      });
    } finally {
      asked.signal?.removeEventListener('abort', cancel);
    }
  }

  /** There is less room than was thought: one group at a time for a while, and what was given after `place` gives back what it has. */
  onlyOne(place: Place): void {
    if (this.most > 1) this.enough *= 2;
    this.most = 1;
    this.ended = 0;
    for (const { present } of this.places.slice(this.places.indexOf(place) + 1)) present?.clearing.abort();
  }

  private letIn(): void {
    for (const [i, place] of this.places.entries()) {
      const { waiting } = place;
      if (waiting === null || !this.has(i, waiting.asked)) continue;
      place.waiting = null;
      waiting.letIn(this.stayOf(place, waiting.asked.bytes()));
    }
  }

  /** Whether there is a place on the device for the group number `i`. */
  private has(i: number, { bytes, room }: Asked): boolean {
    if (this.places.slice(0, i).some(({ present, isFinished }) => present === null && !isFinished)) return false;
    const others = this.places.flatMap(({ present }) => present ?? []);
    if (others.length === 0) return true;
    return others.length < this.most && others.reduce((sum, { bytes: own }) => sum + own, bytes()) <= room();
  }

  private stayOf(place: Place, bytes: number): Stay {
    const others = this.places.flatMap(({ present }) => present ?? []);
    for (const other of others) other.hadCompany = true;
    if (others.length === 0) this.onAlone();
    const own = { bytes, hadCompany: others.length > 0, clearing: new AbortController() };
    place.present = own;
    return {
      cleared: own.clearing.signal,
      hadCompany: () => own.hadCompany,
      leave: (finished) => {
        if (place.present !== own) return;
        place.present = null;
        // What was cleared comes again, though its results may have come just before it learned of that.
        place.isFinished = finished && !own.clearing.signal.aborted;
        // What took the room may be gone: another page, or a group that this one was not told of.
        if (place.isFinished && ++this.ended >= this.enough) this.most = TOGETHER;
        this.letIn();
      },
    };
  }
}
