/** What is chosen of a slot's task vectors before a backend merges what is left of them. */
import type { Figures } from '../figures';
import type { TensorParameters } from '../../recipe/types';
import type { Bits } from './bits';
import type { SlotVectors } from './vectors';

export interface Chosen {
  /** Per model: what takes part, over the elements of the slot that the group covers; null where everything does. */
  readonly bits: readonly (Bits | null)[];
  /** In place of the slot's own for the merge of what takes part. */
  readonly parameters: Partial<TensorParameters>;
  /** Per part of the slot: what the backend, which sees the rest as zeros, would count otherwise. */
  readonly figures: readonly Partial<Figures>[];
}

/** Reads the slot, as often as it must. A value that is not finite always takes part: it must reach the output (merging.md section 8). */
export type Choose = (vectors: SlotVectors, parameters: TensorParameters) => Promise<Chosen>;

/** Below this a sum of magnitudes is taken for nothing (merging.md section 4). */
const LEAST_SUM = 1e-7;

/** Sums for `rescale` of one model: f64 and in flat order (merging.md section 8). */
export class Magnitudes {
  private all = 0;
  private kept = 0;

  /** The next values, and whether each is kept. */
  add(tau: Float32Array, mask: Uint8Array): void {
    let { all, kept } = this;
    for (let j = 0; j < tau.length; j++) {
      const magnitude = Math.abs(tau[j]!);
      // NaN is no number below infinity.
      if (!(magnitude < Infinity)) continue;
      all += magnitude;
      kept += magnitude * mask[j]!;
    }
    this.all = all;
    this.kept = kept;
  }

  factor(): number {
    return this.all < LEAST_SUM || this.kept < LEAST_SUM ? 1 : Math.fround(this.all / this.kept);
  }
}

/** Lets what is not finite take part, in place. */
export function keepNonfinite(keys: Uint32Array, mask: Uint8Array): void {
  for (let j = 0; j < keys.length; j++) if (keys[j]! >= 0x7f800000) mask[j] = 1;
}

/** K_i of every part, given what each model keeps. */
export function keptByPart(vectors: SlotVectors, bits: readonly (Bits | null)[]): { kept: number[] }[] {
  return vectors.parts.map(({ segment, begin, end }) => ({
    kept: bits.map((own, model) => {
      if (!vectors.has(segment, model + 1)) return 0;
      return own ? own.count(begin, end) : segment.count;
    }),
  }));
}

/** Sums for the models that have bits, where the parameters ask for factors. */
export function sumsFor({ rescale }: TensorParameters, bits: readonly (Bits | null)[]): (Magnitudes | null)[] {
  return bits.map((own) => (rescale && own ? new Magnitudes() : null));
}

/** Per model: its factor where the parameters ask for one. */
export function factorsOf({ rescale }: TensorParameters, sums: readonly (Magnitudes | null)[]): Partial<TensorParameters> {
  return rescale ? { factor: sums.map((own) => own?.factor() ?? 1) } : {};
}
