/** Which chunks of a group are on the device: the first ones that fit the budget stay, the others share one place. */
import type { Group, ReadSegment } from '../merge/backend';
import type { LoadedChunk } from './chunk';
import { loadChunk } from './chunk';
import type { Context } from './context';
import { KeySample } from './sample';
import { blockCount } from './tables';

export class Residency {
  private readonly pinned = new Map<number, LoadedChunk>();
  private passing: LoadedChunk | null = null;
  private pinnedBytes = 0;
  /** Blocks of the group before each chunk. */
  readonly bases: readonly number[];
  /** Of the chunks that were loaded so far; null where the group is not one whole tensor of a size that a sample pays for. */
  readonly sample: KeySample | null;

  constructor(
    private readonly context: Context,
    private readonly group: Group,
    private readonly read: ReadSegment,
    private readonly budget: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    let base = 0;
    this.bases = group.chunks.map((chunk) => {
      const mine = base;
      base += blockCount(chunk);
      return mine;
    });
    this.sample = isSampled(context, group) ? new KeySample(group) : null;
  }

  /** The chunk, resident until another that is not pinned is loaded. */
  async load(index: number): Promise<LoadedChunk> {
    const known = this.pinned.get(index) ?? (this.passing?.index === index ? this.passing : null);
    if (known) return known;
    this.passing?.release();
    this.passing = null;
    const chunk = await loadChunk(this.context, this.group, index, this.bases[index]!, this.reader(), this.signal);
    // Passes go over the chunks in order, again and again: keeping the first ones is the best any rule can do.
    if (this.pinnedBytes + chunk.arena.size <= this.budget) {
      this.pinned.set(index, chunk);
      this.pinnedBytes += chunk.arena.size;
    } else {
      this.passing = chunk;
    }
    return chunk;
  }

  /** Loads chunks from the first on as far as they stay, and the first that does not: the passes that follow find them. */
  async fill(): Promise<void> {
    for (let index = 0; index < this.group.chunks.length && this.passing === null; index++) await this.load(index);
  }

  release(): void {
    this.passing?.release();
    for (const chunk of this.pinned.values()) chunk.release();
    this.pinned.clear();
    this.passing = null;
  }

  private reader(): ReadSegment {
    const { sample, read } = this;
    if (sample === null) return read;
    return async (segment, input) => {
      const bytes = await read(segment, input);
      sample.take(segment, input, bytes);
      return bytes;
    };
  }
}

function isSampled({ bracketBlocks }: Context, { slots, chunks }: Group): boolean {
  const [slot] = slots;
  if (slots.length !== 1 || !slot || slot.inputs[0] === null || blockCount(chunks[0]!) < bracketBlocks) return false;
  return chunks.flat().reduce((sum, { count }) => sum + count, 0) === slot.elements;
}
