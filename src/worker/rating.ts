/** Measures, while nobody asks, what one more kept value brings (merge/rates.ts): intervals of the next answer rest on it. */
import type { GroupResult } from '../merge/backend';
import { placeOf } from '../checkpoint/places';
import { measuredRates, probeParameters } from '../merge/rates';
import type { Rates } from '../merge/rates';
import type { TensorParameters } from '../recipe/types';
import type { Sample } from './sample';

export interface Rated {
  /** `figuresKey` of the question they were measured for; they serve its neighbours too, changing slowly with densities. */
  readonly key: string;
  /** Per slot. */
  readonly rates: readonly Rates[];
}

export class Rating {
  private latest = new AbortController();

  /** `rest`: milliseconds without a question before one of these begins. `quiet` resolves when nothing is waited for. */
  constructor(
    private readonly rest: number,
    private readonly quiet: () => Promise<void>,
  ) {}

  /** Another question has come: what is under way would make it wait. */
  stop(): void {
    this.latest.abort();
  }

  /** Null when it was stopped, failed, or there is nothing to measure since nothing is trimmed or all is counted. */
  async measure(key: string, sample: Sample, parameters: readonly TensorParameters[], result: GroupResult): Promise<Rated | null> {
    this.stop();
    const { signal } = (this.latest = new AbortController());
    const probed = probeParameters(parameters);
    if (sample.isWhole || probed.every((probe) => probe === null)) return null;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.rest);
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()));
    });
    const probes: (GroupResult | null)[] = [];
    for (const probe of probed) {
      await this.quiet();
      if (signal.aborted) return null;
      try {
        probes.push(probe && (await sample.use((held) => held.evaluate(probe, signal))));
      } catch {
        // Stopped, or the sample or its backend went: figures stand without it, and the next question tries again.
        return null;
      }
    }
    return { key, rates: measuredRates(result, probes, sample.plan.names.map((name) => placeOf(name).module)) };
  }
}
