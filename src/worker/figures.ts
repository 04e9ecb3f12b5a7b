/** A backend's results as the page receives them. */
import type { SlotResult } from '../merge/backend';
import type { FigureSpread } from '../merge/figures';
import type { TensorFigures } from './protocol';

const NOTHING_KEPT = 0x7fffffff;

export interface SlotSize {
  /** Elements of the slot: the tensor's, or the sample's. */
  readonly slot: number;
  /** N of the whole tensor. */
  readonly tensor: number;
}

/** `spread`: of a sample (merge/spread.ts); null when exact or not known. */
export function tensorFigures(tensor: string, { figures, kept }: SlotResult, size: SlotSize, spread: FigureSpread | null = null): TensorFigures {
  // Without trimming a backend reports threshold 0 and every element; where it keeps nothing, the key of NaN, which no value reaches.
  const thresholds = kept.map((own) => {
    if (own === null || (own.threshold === 0 && own.cutoff >= size.slot)) return null;
    return own.threshold === NOTHING_KEPT ? Infinity : magnitudeOf(own.threshold);
  });
  return { tensor, elements: size.tensor, figures, exact: size.slot === size.tensor, thresholds, spread };
}

/** |tau| whose bits are `key`. */
function magnitudeOf(key: number): number {
  return new Float32Array(Uint32Array.of(key).buffer)[0]!;
}
