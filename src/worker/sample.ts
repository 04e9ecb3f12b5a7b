/** A sample on a backend, let go of only when nobody looks at it any more. */
import { CancelledError } from '../bytes/errors';
import type { Held } from '../merge/backend';
import type { SamplePlan } from '../merge/sample';
import { sampleRuns } from '../merge/sample-reading';
import type { SampleInfo } from './protocol';

export class Sample {
  /** Elements drawn, and elements there are. */
  readonly values: number;
  readonly of: number;
  /** Values of all inputs: what it takes of memory goes with this. */
  readonly inputValues: number;
  /** Of every tensor, per slot. */
  readonly tensorElements: readonly number[];
  readonly isWhole: boolean;
  private readonly reading: Pick<SampleInfo, 'bytes' | 'reads'>;
  private users = 0;
  private isReleased = false;

  constructor(
    readonly plan: SamplePlan,
    private readonly held: Held,
  ) {
    const { group, segments, whole } = plan;
    const chunk = group.chunks[0]!;
    const elements = group.slots.map(() => 0);
    chunk.forEach(({ slot }, i) => (elements[slot] = segments[i]!.elements));
    this.tensorElements = elements;
    this.of = elements.reduce((sum, count) => sum + count, 0);
    this.values = chunk.reduce((sum, { count }) => sum + count, 0);
    this.inputValues = chunk.reduce((sum, { count, present }) => sum + count * present.filter(Boolean).length, 0);
    this.isWhole = whole.every(Boolean);
    const runs = sampleRuns(plan);
    this.reading = { reads: runs.length, bytes: runs.reduce((sum, { range }) => sum + range.end - range.begin, 0) };
  }

  /** Rejects with CancelledError once it was released. */
  async use<T>(look: (held: Held) => Promise<T>): Promise<T> {
    if (this.isReleased) throw new CancelledError('the sample was replaced');
    this.users++;
    try {
      return await look(this.held);
    } finally {
      this.users--;
      this.releaseUnused();
    }
  }

  /** Now, or when whoever uses it is done. */
  release(): void {
    this.isReleased = true;
    this.releaseUnused();
  }

  info(settled: boolean): SampleInfo {
    return { values: this.values, of: this.of, ...this.reading, settled };
  }

  private releaseUnused(): void {
    if (this.isReleased && this.users === 0) this.held.release();
  }
}

/** Held for a recipe that merges no tensor. */
export const NOTHING: Held = {
  group: { method: 'linear', slots: [], chunks: [[]] },
  evaluate: async () => ({ slots: [], segments: [] }),
  surface: async () => [],
  slackCurve: async () => [],
  effect: async () => [],
  distribution: async () => ({ counts: [] }),
  tally: async (_, tallies) => tallies.map(() => ({ counts: new Uint32Array(), above: new Uint32Array() })),
  release: () => {},
};
