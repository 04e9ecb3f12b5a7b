/**
 * The Backend contract: what the CPU reference, the CPU backend and the WebGPU engine all answer. This file constructs nothing.
 *
 * A backend sees no checkpoint, file or recipe, only groups. A group is one or more **slots** (a slot is a tensor: the
 * unit of selection, with its own N, K, threshold and cutoff), cut into **segments** (contiguous runs of a slot's
 * elements, the unit of reading and of counting). Small tensors share a group, a large tensor is several chunks of one
 * group, and a sample for exploring is a group whose segments are sampled blocks: one algorithm serves all three.
 */
import type { BufferRing } from '../bytes/buffer-ring';
import type { MergedDtype, OutputDtype } from '../bytes/dtypes';
import type { Method, SlackParameters, TensorParameters } from '../recipe/types';
import type { AdaptRequest } from './adapting';
import type { SlackCurveRequest, SlotDistribution, SlotEffect, SlotSlackCurve, SlotSurface, SurfaceRequest } from './exploring';
import type { Figures } from './figures';
import type { Tally, TallyCounts } from './tally-types';

/** Elements [first, end) of a slot. */
export interface ElementRange {
  readonly first: number;
  readonly end: number;
}

/** A tensor under merging. Inputs are numbered base = 0, models = 1..n in recipe order. */
export interface Slot {
  /** Tensor name, for messages and seeds. */
  readonly name: string;
  /** Elements of the base part that is merged. At most 2^32 - 1. */
  readonly elements: number;
  /**
   * Per input: its dtype, or null for a model that takes no part in this tensor (absent, or left out).
   * `linear` has no base: input 0 is null and N and K are those of the first model.
   */
  readonly inputs: readonly (MergedDtype | null)[];
  /** Per model: elements it has of this slot; K_i = trunc(k_i * this). Fewer than `elements` where it has fewer rows. */
  readonly modelElements: readonly number[];
  /**
   * Per model: what it lacks, in order, where that is not just the end of the slot (rows matched by token); null or absent else.
   * Segments are cut there: a backend needs only these.
   */
  readonly absent?: readonly (readonly ElementRange[] | null)[];
  readonly outDtype: OutputDtype;
  /** Elements of a row, the last dimension, where flat indices tell rows apart; absent: the slot is one row, or drawn from several. */
  readonly row?: number;
}

/** Contiguous elements of one slot. A model takes part in the whole segment or not at all. */
export interface Segment {
  /** Index into the group's slots. */
  readonly slot: number;
  /**
   * First element, flat row-major index in the slot. Even, except right after an odd end of a model's rows (an odd
   * `modelElements`): a backend gives every segment whole words of its own and never infers a place in a buffer from `first`.
   */
  readonly first: number;
  readonly count: number;
  /** Per input: whether it has these elements. */
  readonly present: readonly boolean[];
}

export interface Group {
  readonly method: Method;
  readonly slots: readonly Slot[];
  /**
   * Chunks in reading order; one chunk's inputs and output are on the device at once. A group of several chunks has one
   * slot only. Together the chunks' segments cover each slot once, in order (a sample covers part of it).
   */
  readonly chunks: readonly (readonly Segment[])[];
}

/**
 * Raw little-endian bytes of `segment` in one input, in that input's dtype. It is one of the group's, or elements within one. The
 * bytes are the backend's to keep: it may transfer a buffer that they fill whole.
 */
export type ReadSegment = (segment: Segment, input: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Receives merged bytes in the slot's output dtype, segments in order. */
export type WriteSegment = (segment: Segment, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

/** What selection decided for one model of one slot; keys are the bits of |tau|, NaN as 0x7fffffff. */
export interface Kept {
  /** Kept where key > threshold, or key == threshold and index < cutoff. */
  readonly threshold: number;
  /** Flat index in the slot, exclusive. */
  readonly cutoff: number;
}

export interface SlotResult {
  readonly figures: Figures;
  /** Per model; null for one that takes no part. Without trimming: threshold 0, cutoff = elements. */
  readonly kept: readonly (Kept | null)[];
  /** Selection on |e| among the preferred model's discarded positions: reserved where key < threshold or (== and index < cutoff). */
  readonly reserved: Kept | null;
  /** What the host chose for the backend, of methods that have it choose (merge/masks). */
  readonly chosen?: ChosenParts;
}

/** What takes part of a tensor, and the parameters that it is merged with by `ties` or `task_arithmetic`. */
export interface ChosenParts {
  readonly parameters: TensorParameters;
  /** Writes 1 or 0 into `mask` for the values of `model` from the flat index `first` on: whether each takes part. */
  read(model: number, first: number, mask: Uint8Array): void;
}

export interface GroupResult {
  readonly slots: readonly SlotResult[];
  /** Per chunk, per segment: counts alone (kept_i counts kept positions in the segment). For intervals. */
  readonly segments: readonly (readonly Figures[])[];
}

export interface MergeOptions {
  readonly signal?: AbortSignal;
  /** Refuse (InvalidRecipe `nonfinite`) by default is the caller's business: the backend only counts. */
  readonly onChunk?: (done: number, of: number) => void;
}

/** A single-chunk group kept ready, so that a change of parameters reads nothing. */
export interface Held {
  readonly group: Group;
  /** One entry of `parameters` per slot. Figures only, no output. `overflow` is 0. */
  evaluate(parameters: readonly TensorParameters[], signal?: AbortSignal): Promise<GroupResult>;
  /** Per slot. TIES and TIES-SV without `rescale` only; throws RangeError for others. */
  surface(parameters: readonly TensorParameters[], request: SurfaceRequest, signal?: AbortSignal): Promise<SlotSurface[]>;
  /** Per slot; null where the preferred model takes no part. TIES-SV only; the slack in `parameters` is not read. */
  slackCurve(parameters: readonly TensorParameters[], request: SlackCurveRequest, signal?: AbortSignal): Promise<(SlotSlackCurve | null)[]>;
  /** Per slot. */
  effect(parameters: readonly TensorParameters[], signal?: AbortSignal): Promise<SlotEffect[]>;
  /** Of one slot, untrimmed. */
  distribution(slot: number, signal?: AbortSignal): Promise<SlotDistribution>;
  /** As `Backend.tally`, of what is held. */
  tally(parameters: readonly TensorParameters[], tallies: readonly Tally[], signal?: AbortSignal): Promise<TallyCounts[]>;
  release(): void;
}

export interface BackendInfo {
  readonly kind: 'webgpu' | 'cpu';
  /** For people: adapter name, or the like of "CPU, 2 workers". */
  readonly label: string;
  /** WebGPU on a CPU (SwiftShader, llvmpipe, WARP). */
  readonly software: boolean;
  /**
   * How f32 arithmetic is made exact (merging.md section 8): the host's own (CPU), the adapter's float units after the probe
   * with integers for subnormals and other edges, or integers alone.
   */
  readonly arithmetic: 'native' | 'guarded' | 'integer';
}

/** What a WebGPU adapter says of itself, for a report. */
export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

export interface Backend {
  readonly info: BackendInfo;
  /** Most bytes of inputs and output that one chunk may hold on the device. */
  readonly chunkBytes: number;
  /** Groups that `merge` may be given at the same time, so that no worker is idle while one begins or ends; absent: 1. */
  readonly concurrency?: number;
  /** What large inputs may be read into; it gives back what it no longer needs of them. Absent: it keeps no such buffers. */
  readonly buffers?: BufferRing | undefined;
  /** Most bytes of inputs and output of a group that the backend holds at once; absent: those of one chunk. */
  readonly heldBytes?: (group: Group) => number;
  /** Merges a group: reads its segments (more than once when it has several chunks), writes each exactly once, in order. */
  merge(
    group: Group,
    parameters: readonly TensorParameters[],
    read: ReadSegment,
    write: WriteSegment,
    options?: MergeOptions,
  ): Promise<GroupResult>;
  /**
   * Counts keys and writes nothing: the part that one group has in a ranking over several. Counts are those of each tally, in
   * order. The margins are those that remain after trimming and electing with `parameters`; their slack is not read.
   */
  tally(group: Group, parameters: readonly TensorParameters[], tallies: readonly Tally[], read: ReadSegment, options?: MergeOptions): Promise<TallyCounts[]>;
  /** Reads a single-chunk group once and keeps it. Throws OutOfMemoryError when it does not fit. */
  hold(group: Group, read: ReadSegment): Promise<Held>;
  /**
   * Values of an adapter on its base, as F32 bytes: see AdaptRequest. Called by `read` while a merge or a hold is under way, so it
   * waits for neither. Nobody waits for it any more once `signal` is aborted.
   */
  adapt(request: AdaptRequest, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  dispose(): void;
}

/** K_i = trunc(k_i * N) in float64, at least 1, at most N (merging.md section 2). */
export function keptCount(density: number, elements: number): number {
  if (density >= 1) return elements;
  return Math.max(1, Math.min(elements, Math.trunc(density * elements)));
}

/** R = min(trunc(s * M), |D|), float64 (merging.md section 6). */
export function reservedCount(s: number, of: number, discarded: number): number {
  return Math.min(Math.trunc(s * of), discarded);
}

/** K_i of one model in a tensor where it has `elements`: as decided over several tensors, else by its density. */
export function keptOf({ density, kept }: TensorParameters, model: number, elements: number): number {
  return Math.min(elements, kept?.[model] ?? keptCount(density[model]!, elements));
}

/** R of a tensor whose preferred model keeps `retained` values and loses `discarded`: as decided over several tensors, else by its share. */
export function reservedOf({ s, of, reserved }: SlackParameters, retained: number, discarded: number): number {
  return reserved === undefined ? reservedCount(s, of === 'retained' ? retained : discarded, discarded) : Math.min(reserved, discarded);
}
