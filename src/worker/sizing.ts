/** How large a sample may be: as large as one evaluation of it still follows a slider, within memory. */
import type { BackendInfo } from '../merge/backend';
import { COARSE_BLOCKS, REFINED_BLOCKS } from '../merge/sample';
import type { SampleOptions } from '../merge/sample';
import { memoryOf, readAheadWithin } from '../merge/budget';
import { readAheadBudget } from '../merge/io-sizes';

/**
 * Milliseconds that one evaluation of the refined sample may take. On a CPU the bar is 150 ms from slider to paint, of which
 * drawing takes its part; on a GPU a step stays within a frame of 16 ms.
 */
const EVALUATION_MS: Readonly<Record<BackendInfo['kind'], number>> = { cpu: 75, webgpu: 10 };

export interface Speed {
  /** Milliseconds that the evaluation of `values` took. */
  readonly milliseconds: number;
  /** Elements of the sample evaluated. */
  readonly values: number;
}

/** The composition root decides; tests bring sizes that tiny models reach. */
export interface Sizing {
  /** What is no larger is read whole at once: its figures are exact, and no slower to read than a sample of a large model. */
  readonly whole: SampleOptions;
  /** The first sample of a larger model: three reads a tensor and input, more of a vocabulary, which is what takes the time. */
  readonly coarse: SampleOptions;
  /** The second, from how fast the first was evaluated. */
  refined(kind: BackendInfo['kind'], speed: Speed): SampleOptions;
  /** Values of all inputs in the samples that are kept beside the one on the screen. */
  readonly others: number;
  /** Milliseconds without a question before what intervals rest on is measured. */
  readonly rest: number;
}

const MIB = 2 ** 20;
/** A disk gives so many bytes in about a second. */
const MOST_BYTES = 256 * MIB;
/** However slow a backend is: with less, a layer of a large model has too few values to say anything. */
const LEAST_VALUES = 5e5;

export const SIZING: Sizing = {
  whole: { bytes: 64 * MIB, values: 4e6, blocks: COARSE_BLOCKS },
  coarse: { bytes: 64 * MIB, values: 2e6, blocks: COARSE_BLOCKS },
  /** On a slow backend fewer values than in the coarse one. What an evaluation costs beside its values makes it smaller, never too large. */
  refined(kind, { milliseconds, values }) {
    const affordable = Math.floor((values * EVALUATION_MS[kind]) / Math.max(milliseconds, 0.05));
    return { bytes: MOST_BYTES, values: Math.max(LEAST_VALUES, affordable), blocks: REFINED_BLOCKS };
  },
  // A CPU keeps some 15 bytes of each: 0.6 GB.
  others: 40e6,
  // Longer than between two steps of a slider.
  rest: 250,
};

/** GiB of this machine, where the browser tells. */
export const DEVICE_MEMORY = (globalThis.navigator as { readonly deviceMemory?: number } | undefined)?.deviceMemory;

/** Least that a merge is held to, whatever is chosen. */
export const LEAST_MEMORY = 256 * 2 ** 20;

/** What merges may hold: of a machine's memory, or as the user chose when the backend was started. */
export class MergeMemory {
  private chosen: number | null = null;

  /** @param deviceMemory GiB, as the browser tells it */
  constructor(private readonly deviceMemory: number | undefined) {}

  /** Bytes that a merge may hold at most where nothing is chosen. */
  get automatic(): number {
    return memoryOf(readAheadBudget(this.deviceMemory));
  }

  /** Bytes that reading ahead may hold. */
  get readAhead(): number {
    return this.chosen === null ? readAheadBudget(this.deviceMemory) : readAheadWithin(Math.max(LEAST_MEMORY, this.chosen) - memoryOf(0));
  }

  /** `bytes` that a merge may hold at most; null: automatic. */
  choose(bytes: number | null): void {
    this.chosen = bytes;
  }
}

export const MEMORY = new MergeMemory(DEVICE_MEMORY);
