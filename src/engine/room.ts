/**
 * What the engine allows itself on a device, and less of it where that turns out not to be there (faults.md row 29): what has no
 * room beside another group is done again by itself, what has none then in chunks of half the size, down to a floor.
 */
import { CancelledError, OutOfMemoryError } from '../bytes/errors';
import type { Group, GroupResult, MergeOptions, ReadSegment, WriteSegment } from '../merge/backend';
import type { Tally, TallyCounts } from '../merge/tally-types';
import type { TensorParameters } from '../recipe/types';
import type { Budget } from './budget';
import { claimOf } from './claims';
import type { Context } from './context';
import { mergeGroup } from './evaluate';
import { FinerGroup, largestChunk, type Part } from './finer';
import { tallyGroup } from './tally';
import { type Place, type Stay, Turns } from './turns';

/** Slots that are selected in at once: each has a histogram a lane. */
const SLOTS_AT_ONCE = 1024;
/** Halvings before it is given up: from 128 MiB to 8. */
const HALVINGS = 4;

/** Of a merge that may have a place in the order of groups: it was given before what decides on the host began. */
export interface PlacedOptions extends MergeOptions {
  /** Absent where a held group that is chosen from on the host is merged: it takes its place when it comes. */
  readonly place?: Place;
}

export class Room {
  private readonly turns = new Turns(() => (this.keptBytes = this.context.memory.lentBytes - this.context.uploads.bytes));
  private halvings = 0;
  /** Lent to no group: what is held. */
  private keptBytes = 0;

  constructor(
    private readonly context: Context,
    private readonly budget: Budget,
  ) {}

  /** Bytes of inputs and output of a chunk at present. */
  get chunkBytes(): number {
    return Math.floor(this.budget.chunkBytes / 2 ** this.halvings);
  }

  private get residentBytes(): number {
    return Math.floor(this.budget.residentBytes / 2 ** this.halvings);
  }

  /** `act` with a place in the order in which groups were given. */
  async inOrder<Result>(act: (place: Place) => Promise<Result>): Promise<Result> {
    const place = this.turns.take();
    try {
      return await act(place);
    } finally {
      this.turns.end(place);
    }
  }

  /** `mergeGroup` within what room there is; what was handed to `write` before the room was found too small is not handed to it again. */
  async merge(group: Group, parameters: readonly TensorParameters[], read: ReadSegment, write: WriteSegment, { place, ...options }: PlacedOptions = {}): Promise<GroupResult> {
    const written: Promise<void>[] = [];
    return this.onDevice(place, group, options.signal, async (stay, signal) => {
      let next = 0;
      const once: WriteSegment = (segment, bytes) => orCleared((written[next++] ??= write(segment, bytes)), stay);
      const merge = (own: Group, its: readonly TensorParameters[], from: ReadSegment, to: WriteSegment, more: MergeOptions, onRead?: () => void) =>
        mergeGroup(this.context, own, its, from, to, this.residentBytes, { ...more, signal }, onRead);
      if (this.has(group)) return merge(group, parameters, read, once, options, () => stay.leave(true));
      const finer = new FinerGroup(group, this.chunkBytes, SLOTS_AT_ONCE);
      const [from, to] = [finer.reader(read), finer.writer(once)];
      const chunks = finer.parts.reduce((sum, part) => sum + part.group.chunks.length, 0);
      const results: GroupResult[] = [];
      let done = 0;
      for (const part of finer.parts) {
        const onChunk = () => options.onChunk?.(++done, chunks);
        results.push(await merge(part.group, parametersOf(part, parameters), from, to, { ...options, onChunk }));
      }
      return finer.result(results);
    });
  }

  /** `tallyGroup` within what room there is. */
  async tally(group: Group, parameters: readonly TensorParameters[], tallies: readonly Tally[], read: ReadSegment, { place, signal: wanted }: PlacedOptions = {}): Promise<TallyCounts[]> {
    return this.onDevice(place, group, wanted, async (_, signal) => {
      const tally = (own: Group, its: readonly TensorParameters[], asked: readonly Tally[], from: ReadSegment) =>
        tallyGroup(this.context, own, its, asked, from, this.residentBytes, signal);
      if (this.has(group)) return tally(group, parameters, tallies, read);
      const finer = new FinerGroup(group, this.chunkBytes, SLOTS_AT_ONCE);
      const from = finer.reader(read);
      const sums = tallies.map(({ rows, digit }) => ({ counts: new Uint32Array(rows * 2 ** digit.bits), above: new Uint32Array(rows) }));
      for (const part of finer.parts) {
        const asked = tallies.map((one) => ({ ...one, slots: part.slots.map((s) => one.slots[s] ?? null) }));
        const counted = await tally(part.group, parametersOf(part, parameters), asked, from);
        counted.forEach(({ counts, above }, t) => {
          counts.forEach((count, i) => (sums[t]!.counts[i]! += count));
          above.forEach((count, row) => (sums[t]!.above[row]! += count));
        });
      }
      return sums;
    });
  }

  private has(group: Group): boolean {
    return group.slots.length <= SLOTS_AT_ONCE && largestChunk(group) <= this.chunkBytes;
  }

  /** Attempts until there was room for one; each has its own stay on the device, and a signal of its own. */
  private async onDevice<Result>(place: Place | undefined, group: Group, wanted: AbortSignal | undefined, act: (stay: Stay, signal: AbortSignal) => Promise<Result>): Promise<Result> {
    if (place === undefined) return this.inOrder((own) => this.onDevice(own, group, wanted, act));
    const bytes = () => claimOf(group, { residentBytes: this.residentBytes, listBytes: this.context.listBytes });
    const room = () => this.budget.bytes - this.keptBytes - this.context.uploads.mostBytes;
    for (;;) {
      const stay = await this.turns.enter(place, { bytes, room, signal: wanted });
      try {
        return await act(stay, wanted ? AbortSignal.any([wanted, stay.cleared]) : stay.cleared);
      } catch (error) {
        const isFull = error instanceof OutOfMemoryError && error.reason === 'device-memory';
        const isCleared = stay.cleared.aborted && !wanted?.aborted;
        if (!isFull && !(isCleared && error instanceof CancelledError)) throw error;
        if (isCleared) continue;
        this.turns.onlyOne(place);
        if (!stay.hadCompany()) await this.halve(error);
      } finally {
        stay.leave(false);
      }
    }
  }

  /** Throws OutOfMemoryError `device-floor` where that was done as often as may be: who tries again has made room, and begins with whole chunks. */
  private async halve(error: OutOfMemoryError): Promise<void> {
    if (this.halvings === HALVINGS) {
      const floor = this.chunkBytes;
      this.halvings = 0;
      this.context.listBytes *= 2 ** HALVINGS;
      throw new OutOfMemoryError('device-floor', `${error.message}, in chunks of ${floor}`, error.where);
    }
    this.halvings++;
    this.context.listBytes /= 2;
    await this.context.uploads.release();
    this.context.memory.trim();
  }
}

/** Rejects with CancelledError where the stay is cleared before `written` settles. */
async function orCleared(written: Promise<void>, { cleared }: Stay): Promise<void> {
  let clear = () => {};
  const gone = new Promise<never>((_, reject) => (clear = () => reject(new CancelledError())));
  // What is not waited for any more is waited for by the next attempt.
  written.catch(() => {});
  cleared.addEventListener('abort', clear);
  try {
    if (cleared.aborted) clear();
    await Promise.race([written, gone]);
  } finally {
    cleared.removeEventListener('abort', clear);
  }
}

function parametersOf({ slots }: Part, parameters: readonly TensorParameters[]): TensorParameters[] {
  return slots.map((s) => parameters[s]!);
}
