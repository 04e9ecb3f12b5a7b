/**
 * Passes over the chunks of a group, one after the other. A group of one chunk is recorded as a whole, to be submitted at once; of
 * several, each chunk's part is submitted before the next one takes its place.
 */
import type { LoadedChunk } from './chunk';
import type { Context } from './context';
import type { Recording } from './recording';
import type { Residency } from './residency';

export type OverChunk = (recording: Recording, chunk: LoadedChunk) => void;

export class Sweep {
  readonly recording: Recording;
  private first: OverChunk | null = null;

  constructor(
    context: Context,
    private readonly residency: Residency,
    private readonly chunks: number,
  ) {
    this.recording = context.record('group');
  }

  /** What the next pass over the chunks has to begin with in each of them; with none by then, `close` does it. */
  begin(first: OverChunk): void {
    this.first = first;
  }

  /** Records `pass` for every chunk. */
  async over(pass: OverChunk): Promise<void> {
    for (let c = 0; c < this.chunks; c++) {
      pass(this.recording, await this.arrive(c));
      this.leave();
    }
  }

  /** The chunk, resident until `leave`. */
  async arrive(index: number): Promise<LoadedChunk> {
    const chunk = await this.residency.load(index);
    this.first?.(this.recording, chunk);
    if (index === this.chunks - 1) this.first = null;
    return chunk;
  }

  leave(): void {
    if (this.chunks > 1) this.recording.submit();
  }

  /** Submits what was recorded. What a next pass was to begin with is done where the only chunk is here, and else returned. */
  async close(): Promise<OverChunk | null> {
    if (this.chunks === 1) await this.arrive(0);
    this.recording.submit();
    return this.first;
  }
}
