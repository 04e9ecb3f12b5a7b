/** A part: the elements of one segment, or a run of them, that one worker has at a time. What crosses to a worker is here. */
import type { MergedDtype, OutputDtype } from '../bytes/dtypes';
import type { Figures } from '../merge/figures';
import type { Method } from '../recipe/types';
import type { KeyRange, Tally, TallyOfAll } from './select';
import type { Cut } from './trim';

export interface PartSpec {
  readonly method: Method;
  readonly count: number;
  /** Per input, base first: its dtype, or null where it has none of the part's elements. */
  readonly dtypes: readonly (MergedDtype | null)[];
  /** The input that task vectors start from: 0, or for `linear` the first model of the slot. */
  readonly origin: number;
  readonly outDtype: OutputDtype;
  /** Keys that one selection may set aside of the part; absent: one in eight. */
  readonly gathered?: number;
}

/** What is decided about a part before it is merged. Numbers are f32 where the arithmetic is. */
export interface Decision {
  /** Per model: what trimming keeps of this part. */
  readonly cuts: readonly Cut[];
  /** Per model: what tau^ is multiplied by for `rescale`; 1 without. */
  readonly factors: readonly number[];
  readonly weights: readonly number[];
  readonly lambda: number;
  readonly normalize: boolean;
  /** Preferred model, -1 without slack. */
  readonly prefer: number;
  /** Of the preferred model's discarded positions, on complemented keys: what is given back. */
  readonly reserve: Cut;
}

/** Sums of magnitudes in flat order, carried from part to part. */
export interface MagnitudeSums {
  readonly all: number;
  readonly kept: number;
}

export interface MergedPart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly figures: Figures;
  /** Per model: elements of the part up to and including the last one kept among equals, where the cut ends in this part. */
  readonly last: readonly (number | null)[];
  readonly reservedLast: number | null;
}

/** The passes over one part. Once it is shed, the first two answer from what they set aside before, or with null. */
export interface PartPasses {
  /** Keys of |tau| of one model. */
  tally(model: number, range: KeyRange): Promise<Tally | null>;
  /** Keys of the margins, after trimming and electing. */
  margins(decision: Decision, range: KeyRange): Promise<TallyOfAll | null>;
  /** Sums of |tau| of one model, all and kept, on top of those before. */
  magnitudes(model: number, cut: Cut, before: MagnitudeSums): Promise<MagnitudeSums>;
  merge(decision: Decision): Promise<MergedPart>;
  /** Lets the inputs go and keeps what was set aside. */
  shed(): void;
  release(): void;
}

/** Who does the passes: this thread, or workers. */
export interface Crew {
  /** Parts that are worked on at the same time. */
  readonly size: number;
  /** The bytes of a merged part are used up: they may be written over. */
  recycle(bytes: Uint8Array<ArrayBuffer>): void;
  /** Parts that lie in `bytes`, none of which is all of it, have been loaded. */
  copied(bytes: Uint8Array<ArrayBuffer>): void;
  /** Takes the inputs over: their buffers may be moved away. */
  load(spec: PartSpec, inputs: readonly (Uint8Array<ArrayBuffer> | null)[]): PartPasses;
}
