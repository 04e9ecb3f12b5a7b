/** What a run is given besides its plan, and what comes of it. */
import type { Hashing } from '../bytes/hashing';
import type { ByteSource } from '../bytes/source';
import type { Watchdog } from '../bytes/watchdog';
import type { Backend, BackendInfo, SlotResult } from './backend';
import type { GroupOutcome } from './groups';
import type { JournalHooks } from './journaling';
import type { PipelineMeans, StepRunner } from './pipeline';
import type { Step } from './plan-types';
import type { RunProgress } from './progress';
import type { OpenShard } from './reading';
import type { Rechecked } from './recheck';
import type { Checked, Recompute } from './spot-check';

/** A file beside the weights: config, tokenizer, card. */
export interface ExtraFile {
  /** A plain file name that is none of the weights'. */
  readonly name: string;
  /** Bytes, a file to copy, or what is made of the figures once every tensor is merged. */
  readonly content: Uint8Array<ArrayBuffer> | ((figures: RunFigures) => Promise<ByteSource | Uint8Array<ArrayBuffer>>);
}

/** By tensor, in the order of writing: what the backend found over the whole tensor. */
export type RunFigures = ReadonlyMap<string, SlotResult>;

/** Calls `recheck` when its turn has come. Rejects as it does. */
export type RecheckTurn = (recheck: (openShard: OpenShard) => Promise<Rechecked>) => Promise<Rechecked>;

export interface RunHooks {
  readonly signal?: AbortSignal;
  /** Awaited before every read, group and copy: resolves while the run is not paused, rejects or resolves once it is cancelled. */
  readonly ready?: () => Promise<void>;
  /** After every read and write; throttling is the caller's. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Once per merged tensor, in the order of writing. */
  readonly onTensor?: (tensor: string, result: SlotResult) => void;
  /** Written after the last tensor and before what makes the folder complete. */
  readonly extras?: readonly ExtraFile[];
  /** Replace an export that is in the folder, which else is refused. */
  readonly replace?: boolean;
  /** Whether a file of this name belongs to an export and is replaced with it; default: only what is written anew. */
  readonly isExportFile?: (name: string) => boolean;
  /** Keeps a journal beside the output until it is finished: a run that fails or is cancelled leaves its finished shards and can be resumed. */
  readonly journal?: JournalHooks;
  /** Weight files that a failed run leaves finished, to be resumed; none: nothing of it is kept. Not called where it had not begun. */
  readonly onKept?: (files: readonly string[]) => void;
  /** Files that a failed run could not remove. */
  readonly onLeftBehind?: (names: readonly string[]) => void;
  /** Bytes that reading ahead may hold, default READ_AHEAD_BYTES. */
  readonly readAheadBytes?: number;
  /** Bytes of a piece handed to a sink, default WRITE_BYTES: for tests of streaming. */
  readonly pieceBytes?: number;
  /** Bytes of a piece of what is copied or compared, default COPY_BYTES: smaller where several runs go side by side. */
  readonly copyBytes?: number;
  /** Computes a sample of every merged tensor again, which is compared with what the backend gave; absent: nothing is. */
  readonly recompute?: Recompute;
  /** Makes another backend, which computes everything again once it is written; absent: nothing is. */
  readonly recheckBy?: () => Backend;
  /** When that is done, and from where it reads what is merged; default at once, from where the run does. */
  readonly recheckTurn?: RecheckTurn;
  /** What carries out the merge steps, default a `Pipeline` of this run's own. */
  readonly stepsBy?: (steps: readonly Step[], means: PipelineMeans) => StepRunner<GroupOutcome>;
  /** Where digests are computed, default on this thread. */
  readonly hashing?: Hashing;
  /** Milliseconds, default `performance.now`. */
  readonly now?: () => number;
  /** Finds reads that never end, default one over real time. */
  readonly watchdog?: Watchdog;
}

export interface FinishedFile {
  readonly name: string;
  readonly bytes: number;
  /** Hex SHA-256 of the file as read again after closing. */
  readonly sha256: string;
}

/** Where a weight file comes from. */
export interface ShardOrigin {
  readonly file: string;
  /** Every backend that merged some of it; none where it was only copied. */
  readonly madeBy: readonly BackendInfo[];
  /** An earlier run finished it. */
  readonly isKept: boolean;
}

export interface RunResult {
  /** Shards, extras, index. */
  readonly files: readonly FinishedFile[];
  readonly shards: readonly ShardOrigin[];
  readonly figures: RunFigures;
  readonly tensors: number;
  /** Tensors whose bytes were read again and found to be what was handed over. */
  readonly verified: number;
  /** Merged values, and tensors that have them, that were computed again and found to be what the backend gave. */
  readonly checked: Checked;
  /** What was computed again of all that was written; null where it was not asked for. */
  readonly rechecked: Rechecked | null;
  /** Pauses left out. */
  readonly seconds: number;
  /** Finite values that became infinite in the output dtype, merged or copied. */
  readonly overflow: number;
}
