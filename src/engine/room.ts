/**
 * What the engine allows itself on a device, and less of it where that turns out not to be there (faults.md row 29): what has no
 * room is done again in chunks of half the size, down to a floor.
 */
import { OutOfMemoryError } from '../bytes/errors';
import type { Group, GroupResult, MergeOptions, ReadSegment, WriteSegment } from '../merge/backend';
import type { Tally, TallyCounts } from '../merge/tally-types';
import type { TensorParameters } from '../recipe/types';
import type { Budget } from './budget';
import type { Context } from './context';
import { mergeGroup } from './evaluate';
import { FinerGroup, largestChunk, type Part } from './finer';
import { tallyGroup } from './tally';

/** Slots that are selected in at once: each has a histogram a lane. */
const SLOTS_AT_ONCE = 1024;
/** Halvings before it is given up: from 128 MiB to 8. */
const HALVINGS = 4;

export class Room {
  private halvings = 0;

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

  /** `mergeGroup` within what room there is; what was written before the room was found too small is not written again. */
  async merge(group: Group, parameters: readonly TensorParameters[], read: ReadSegment, write: WriteSegment, options: MergeOptions = {}): Promise<GroupResult> {
    let written = 0;
    return this.retried(async () => {
      let next = 0;
      const once: WriteSegment = async (segment, bytes) => {
        if (next++ < written) return;
        await write(segment, bytes);
        written++;
      };
      const merge = (own: Group, its: readonly TensorParameters[], from: ReadSegment, to: WriteSegment, more: MergeOptions) =>
        mergeGroup(this.context, own, its, from, to, this.residentBytes, more);
      if (this.has(group)) return merge(group, parameters, read, once, options);
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
  async tally(group: Group, parameters: readonly TensorParameters[], tallies: readonly Tally[], read: ReadSegment, signal?: AbortSignal): Promise<TallyCounts[]> {
    return this.retried(async () => {
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

  private async retried<Result>(act: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof OutOfMemoryError) || error.reason !== 'device-memory') throw error;
        if (this.halvings === HALVINGS) {
          throw new OutOfMemoryError('device-floor', `${error.message}, in chunks of ${this.chunkBytes}`, error.where);
        }
        this.halvings++;
        this.context.listBytes /= 2;
        this.context.uploads.release();
        this.context.memory.trim();
      }
    }
  }
}

function parametersOf({ slots }: Part, parameters: readonly TensorParameters[]): TensorParameters[] {
  return slots.map((s) => parameters[s]!);
}
