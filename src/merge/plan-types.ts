/** A plan is a merge decided but not begun: pure data the page can show and a test can check. */
import type { Dtype, MergedDtype, OutputDtype } from '../bytes/dtypes';
import type { FitIssue, RowRun } from '../checkpoint/types';
import type { Scope, TensorParameters } from '../recipe/types';
import type { Group } from './backend';

/** What the user may decide where checkpoints differ (merging.md section 10). Keys are tensor names. */
export interface FitChoices {
  /** Model ids left out for a tensor whose shape differs. */
  readonly leaveOut: Readonly<Record<string, readonly string[]>>;
  /** Rows beyond the base's: `cut` to base, or keep those of one model (checkpoint id). Default cut. */
  readonly extraRows: 'cut' | { readonly from: string };
  /**
   * How rows of vocabularies whose tokens lie under other ids are matched, where both tokenizers are known: by token unless
   * `id` is said.
   */
  readonly rows?: 'id' | 'token';
  /** Whose integer tensor to keep where they differ: checkpoint id per tensor. */
  readonly integerFrom: Readonly<Record<string, string>>;
  /** Merge although inputs hold NaN or infinite values. */
  readonly allowNonfinite: boolean;
}
export const DEFAULT_CHOICES: FitChoices = { leaveOut: {}, extraRows: 'cut', integerFrom: {}, allowNonfinite: false };

/** A run of bytes in one shard of one checkpoint. */
export interface ByteRange {
  /** Checkpoint id. */
  readonly checkpoint: string;
  /** Index into that checkpoint's shards. */
  readonly shard: number;
  /** Bytes [begin, end) from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

/** Where the values of an input come from: the bytes of the range or, with `adapted`, what is formed from them. */
export interface InputRange extends ByteRange {
  readonly adapted?: AdaptedValues;
  /** The slot's rows are these rows of the range, whose values are not in the slot's order. */
  readonly gathered?: GatheredRows;
}
export interface GatheredRows {
  /** Values of a row. */
  readonly columns: number;
  /** In the slot's order. */
  readonly runs: readonly RowRun[];
}
/** An adapter on the bytes of its base, as in AdaptRequest. The values are F32. */
export interface AdaptedValues {
  /** Of the range's bytes. */
  readonly dtype: MergedDtype;
  /** Flat index in the matrix of the range's first element. */
  readonly first: number;
  readonly columns: number;
  readonly rank: number;
  readonly scale: number;
  readonly left: FactorRange;
  readonly right: FactorRange;
}
/** A factor of `rows` x `columns`. */
export interface FactorRange {
  readonly range: ByteRange;
  readonly dtype: MergedDtype;
  readonly rows: number;
  readonly columns: number;
  /** The file holds it by columns. */
  readonly isTransposed: boolean;
}

export interface OutputTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Bytes [begin, end) from the start of the payload. */
  readonly begin: number;
  readonly end: number;
}
export interface OutputShard {
  /** `model.safetensors` or `model-00001-of-0000N.safetensors`. */
  readonly file: string;
  /** The complete header, length prefix and padding included. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** In payload order. */
  readonly tensors: readonly OutputTensor[];
  /** Payload bytes. */
  readonly payloadBytes: number;
}

/** Tensors merged together on the backend, written to consecutive payload ranges of one output shard. */
export interface MergeStep {
  readonly kind: 'merge';
  readonly shard: number;
  readonly group: Group;
  /** Per slot. */
  readonly parameters: readonly TensorParameters[];
  /** Per slot, per input: the bytes of the whole slot in that input; null where it takes no part. */
  readonly inputs: readonly (readonly (InputRange | null)[])[];
  /**
   * Per slot: what follows the merged rows in the output tensor, in order: the base's rows that no model has, then the
   * extra rows of an extended vocabulary.
   */
  readonly tails: readonly (readonly CopyPart[])[];
}
/** A tensor, or rows of one, copied from one input and converted from `dtype` to `outDtype`. */
export interface CopyPart {
  readonly range: InputRange;
  /** Of the values: F32 where an adapter is added. */
  readonly dtype: Dtype;
  /** Same as `dtype` unless both are floating. F64 becomes F32. */
  readonly outDtype: Dtype;
}
export interface CopyStep {
  readonly kind: 'copy';
  readonly shard: number;
  readonly tensor: string;
  /** In order; more than one where rows come from different checkpoints, none for a tensor without values. */
  readonly parts: readonly CopyPart[];
}
export type Step = MergeStep | CopyStep;

/** An integer tensor whose bytes must be the same in every checkpoint, since nobody chose whose to keep. */
export interface IntegerComparison {
  readonly tensor: string;
  /** The base's first, then one of each model that has it; all of one length. */
  readonly ranges: readonly ByteRange[];
}

/** Something the reader of the plan must know: shown before the start, repeated in the report. */
export interface PlanNote {
  readonly kind: FitIssue['kind'] | 'k-raised-to-one' | 'f64-written-as-f32' | 'rows-copied' | 'rows-cut' | 'kept-base' | 'taken';
  readonly tensor: string;
  readonly model?: string;
  /** What the sentence needs: row counts, K. */
  readonly numbers?: readonly number[];
}

/** What is ranked over the whole model before the first tensor is merged (merging.md sections 2 and 6). */
export interface PlannedRanking {
  readonly scope: Scope;
  /** Every merge step of the whole, also where the plan is one of several parts: all parts rank alike. */
  readonly steps: readonly MergeStep[];
  /** Times that the merged tensors are read for it; once more each where F32 values leave too many keys near a threshold. */
  readonly readings: number;
  /** Bytes of those readings. */
  readonly bytes: number;
}

export interface MergePlan {
  /** In the order of writing: shard by shard, payload order. */
  readonly steps: readonly Step[];
  readonly shards: readonly OutputShard[];
  /** `model.safetensors.index.json`, or null for a single shard. */
  readonly index: string | null;
  readonly notes: readonly PlanNote[];
  /** Fit issues that stop the merge until the user decides; when not empty `steps`, `shards` and `integersToCompare` are empty. */
  readonly refusals: readonly FitIssue[];
  /** Compared before anything is written: headers cannot tell. */
  readonly integersToCompare: readonly IntegerComparison[];
  /** The choice of that name: merge although inputs hold NaN or infinite values. */
  readonly allowNonfinite: boolean;
  /** Absent where every tensor is ranked for itself. */
  readonly ranking?: PlannedRanking;
  /** Tensors written. */
  readonly tensors: number;
  /** Values written. */
  readonly parameters: number;
  /**
   * Bytes of every range the steps and comparisons read, once each, and of the ranking's readings. A backend reads a tensor of several chunks again where
   * it cannot keep them all; the run counts those readings as they happen.
   */
  readonly bytesRead: number;
  /** Bytes of all output shards, headers included. */
  readonly bytesWritten: number;
  /**
   * Most bytes held at once by a run: the groups under way, which wait for each other where they would hold more than twice
   * `readAheadBytes` (a group alone may), and the buffers of the writer; or those of verification.
   */
  readonly peakBytes: number;
}

export interface PlanLimits {
  /** Most bytes of inputs and output one chunk may hold: `Backend.chunkBytes`. */
  readonly chunkBytes: number;
  /** Largest output shard, payload bytes; a larger single tensor has a shard of its own. */
  readonly shardBytes: number;
  /** Bytes that reading ahead may hold, default READ_AHEAD_BYTES. */
  readonly readAheadBytes?: number;
  /** Of the backend, as it says; absent: one group, and of it one chunk. */
  readonly concurrency?: number;
  readonly heldBytes?: (group: Group) => number;
}

export type { OutputDtype };
