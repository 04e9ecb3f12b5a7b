/** Every message between the page and the worker. Each request has one reply; jobs also send events until they end. */
import type { WireError } from '../bytes/errors';
import type { Checkpoint, FileEntry, FitIssue } from '../checkpoint/types';
import type { ExportNote } from '../export/types';
import type { AdapterFacts, BackendInfo } from '../merge/backend';
import type { SlackCurveRequest, SlotDistribution, SlotEffect, SlotSlackCurve, SlotSurface, SurfaceRequest } from '../merge/exploring';
import type { Figures, FigureSpread } from '../merge/figures';
import type { Kin } from '../merge/kinship';
import type { FitChoices, PlanNote } from '../merge/plan-types';
import type { RunProgress } from '../merge/progress';
import type { Rechecked } from '../merge/recheck';
import type { ShardOrigin } from '../merge/run-types';
import type { Verification } from '../merge/verify';
import type { Results } from '../recipe/results';
import type { RecipeText } from '../recipe/mergekit';
import type { SourceRecord } from '../recipe/provenance';
import type { Recipe } from '../recipe/types';

/** A dropped or picked file: `handle` is opaque outside `files/` (a File or a FileSystemFileHandle). */
export interface PickedFile {
  readonly path: string;
  readonly handle: unknown;
  /** What was dropped or picked, which this is or lies in, where the browser can keep it (files/kept-handles.ts). Stays on the page. */
  readonly root?: unknown;
}
/** A folder or file that was open before, which the browser can open again if the user lets it. */
export interface KeptRoot {
  readonly key: number;
  readonly name: string;
  /** Of the page it was last open on. */
  readonly session: number;
  readonly checkpoints: readonly KeptCheckpoint[];
}
export interface KeptCheckpoint {
  readonly id: string;
  readonly name: string;
}
/** Where an export goes: `handle` is opaque outside `files/` (a FileSystemDirectoryHandle); null is the browser's private storage. */
export interface PickedFolder {
  readonly name: string;
  readonly handle: unknown;
}

/** What happened while opening: checkpoints by header, and the files that could not be read. */
export interface OpenResult {
  readonly checkpoints: readonly Checkpoint[];
  readonly problems: readonly { readonly file: string; readonly error: WireError }[];
  /** Files that are none of a checkpoint's: listed, not used. */
  readonly ignored: readonly string[];
  /** Texts of MergeKit's recipes among the files, by path. */
  readonly recipes?: readonly { readonly file: string; readonly text: string }[];
  /** Tables of scores that were among the files. */
  readonly results: readonly Results[];
}

/** Why there is or is no GPU, for the banner and the report. */
export interface BackendReport {
  readonly info: BackendInfo;
  /** Set when WebGPU was wanted and is not used. */
  readonly gpuProblem: WireError | null;
  /** The self-test's finding per pass, empty for the CPU. */
  readonly selfTest: readonly { readonly pass: string; readonly ok: boolean; readonly detail: string }[];
  /** Of WebGPU. */
  readonly adapter?: AdapterFacts;
  /** What was measured here so far, fastest first: parameters a second of a TIES merge of bf16 values in memory. */
  readonly speeds: readonly BackendSpeed[];
  readonly why: BackendReason;
  /** Bytes that a merge may hold where nothing is chosen; absent: as told before. */
  readonly automaticMemory?: number;
}
/**
 * Why this one: automatically the `faster` of two measured; `unmeasured`, WebGPU because one of the two gave no figure; `alone`,
 * the CPU because there is no graphics card to use (`gpuProblem`); `asked` for by name; `instead` of a lost device; the CPU because a device had `no-room`
 * for the smallest sample that says anything.
 */
export type BackendReason = 'faster' | 'unmeasured' | 'alone' | 'asked' | 'instead' | 'no-room';
export interface BackendSpeed {
  readonly kind: BackendInfo['kind'];
  readonly label: string;
  readonly parametersPerSecond: number;
}
export type BackendChoice = 'auto' | 'webgpu' | 'cpu';

/** Figures of every merged tensor, by tensor name; the page aggregates them with `analysis`. */
export interface TensorFigures {
  readonly tensor: string;
  /** N of the whole tensor: what a sample (`figures.numel` below it) stands for. */
  readonly elements: number;
  readonly figures: Figures;
  /** True when counted over the whole tensor, false when from a sample. */
  readonly exact: boolean;
  /** Per model: |tau| threshold as f32, null where it takes no part or nothing is trimmed. */
  readonly thresholds: readonly (number | null)[];
  /** How far the totals may be off where they are estimates; null when exact, or when too few blocks were drawn to tell. */
  readonly spread: FigureSpread | null;
}

/** A tensor's part of a view, from the sample: counts are of `numel` values that stand for `elements`. */
export interface TensorView<T> {
  readonly tensor: string;
  readonly elements: number;
  readonly exact: boolean;
  readonly view: T;
}

/** What the figures of `explore` come from. */
export interface SampleInfo {
  /** Values drawn, and values there are. */
  readonly values: number;
  readonly of: number;
  /** Bytes and reads it took. */
  readonly bytes: number;
  readonly reads: number;
  /** False while a finer sample is being read; a `sample` event tells when it is there. */
  readonly settled: boolean;
}

/** A plan without its bytes: what the page shows before the start. */
export interface PlanSummary {
  readonly tensors: number;
  readonly parameters: number;
  readonly shards: readonly { readonly file: string; readonly bytes: number }[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly peakBytes: number;
  /** Times that all merged tensors are read to rank them over the whole model; 0 when each is ranked for itself. */
  readonly rankingReadings: number;
  readonly notes: readonly PlanNote[];
  readonly issues: readonly FitIssue[];
  readonly refusals: readonly FitIssue[];
  /** What there is to know of the files beside the weights. */
  readonly exportNotes?: readonly ExportNote[];
}

/** What was measured here of what a merge is made of; null where it cannot be told. */
export interface Rates {
  /** Of the backend in use, as `BackendSpeed`. */
  readonly parametersPerSecond: number | null;
  readonly readBytesPerSecond: number | null;
}

export interface ExportedFile {
  readonly name: string;
  readonly bytes: number;
  /** Hex SHA-256 of the file as re-read after closing. */
  readonly sha256: string;
}
/** By which a file in private storage is known from one that another tab's export puts in its place. */
export interface ExportedStamp {
  /** `FOLDER/FILE` in a folder of several. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}
export interface MergeSummary {
  readonly destination: string;
  /** True when the files are in private storage and are to be downloaded. */
  readonly privateStorage: boolean;
  readonly files: readonly ExportedFile[];
  /** Of what is in private storage; empty elsewhere. */
  readonly stamps: readonly ExportedStamp[];
  /** Where each weight file comes from. */
  readonly shards: readonly ShardOrigin[];
  readonly seconds: number;
  readonly backend: BackendInfo;
  readonly tensors: number;
  /** Tensors whose written bytes were re-read and hashed equal to what the backend produced. */
  readonly verified: number;
  /** Merged values, and tensors that have them, that the CPU reference computed again while merging: all the same. */
  readonly checked: { readonly values: number; readonly tensors: number };
  /** What was computed again of all that was written, and by what; null where it was not asked for. */
  readonly rechecked: Rechecked | null;
  readonly overflow: number;
}

/** An export that was interrupted. */
export interface Unfinished {
  /** Of the folder. */
  readonly folder: string;
  /** Null when its journal cannot be read: why is in `problem`. */
  readonly merge: UnfinishedMerge | null;
  readonly problem: WireError | null;
  /** Files that removing it would remove. */
  readonly files: readonly string[];
}
/** Ids are of the time when it began. */
export interface UnfinishedMerge {
  readonly recipe: Recipe;
  /** FitChoices as JSON had them: taken on trust by nobody. */
  readonly choices: unknown;
  readonly text: RecipeText | null;
  readonly shardBytes: number;
  readonly sources: readonly SourceRecord[];
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly shards: number;
  /** Shards that are there as large as they should be, and their bytes. */
  readonly done: number;
  readonly bytesDone: number;
  readonly bytes: number;
  /** Labels of the backends that made them. */
  readonly madeBy: readonly string[];
  /** It was to take the place of an older export, which is still whole. */
  readonly keepsOld: boolean;
}

/** What came of comparing a merged checkpoint with its recipe. */
export interface VerifyReport {
  readonly verification: Verification;
  /** Ids of open sources that hold other values than those it was made from. */
  readonly otherSources: readonly string[];
  readonly backend: BackendInfo;
  readonly seconds: number;
}

/** `folders`: of several exported in one job. */
export type MergeProgress = RunProgress & { readonly foldersDone?: number; readonly folders?: number };

/** One of several recipes, and the folder it is exported to. */
export interface BatchRequestEntry {
  /** Letters, digits, `.`, `_` and `-`; no two of a batch are equal, whatever the case. */
  readonly folder: string;
  readonly recipe: Recipe;
  /** The text it was last read from, whose comments and names its YAML keeps. */
  readonly text: RecipeText | null;
  readonly choices: FitChoices;
}
/** What several merges in one job take, bytes; see `BatchPlan`. */
export interface BatchPlanSummary {
  readonly folders: number;
  /** Merges of each round; the rounds follow one another. */
  readonly waves: readonly number[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bytesTooLarge: number;
  readonly peakBytes: number;
}
export interface BatchSummary {
  readonly destination: string;
  readonly privateStorage: boolean;
  /** Those that are complete. */
  readonly folders: readonly (Pick<MergeSummary, 'files' | 'tensors' | 'verified' | 'checked' | 'rechecked' | 'overflow'> & { readonly folder: string })[];
  /** Of what is in private storage, the table too; empty elsewhere. */
  readonly stamps: readonly ExportedStamp[];
  /** Name of the table beside the folders. */
  readonly table: string;
  /** Folders that were not begun, or removed. */
  readonly missing: readonly string[];
  /** Why some are missing; null when none is. */
  readonly stopped: WireError | null;
  readonly seconds: number;
  readonly backend: BackendInfo;
}

interface Asked {
  readonly recipe: Recipe;
  readonly choices: FitChoices;
}

/** Requests by name: `[payload, reply]`. The one list that client, worker and types share. */
export interface Requests {
  /** Chooses and starts the backend; also tells why there is no GPU. `memoryBytes`: what a merge may hold, absent: automatic. */
  start: [{ readonly choice: BackendChoice; readonly memoryBytes?: number }, BackendReport];
  /** Measures the backend in use and the other one, a software adapter included; what is in use stays. */
  calibrate: [Record<never, never>, BackendReport];
  /** Reads headers of files, which join what is already open. */
  open: [{ readonly files: readonly PickedFile[] }, OpenResult];
  /** Opens the sample family; `baseUrl` is the folder of its manifest.json, of the page's own origin, ending in `/`. */
  openSample: [{ readonly baseUrl: string }, OpenResult];
  close: [{ readonly checkpoint: string }, null];
  /** How far the open checkpoints are apart, from a few blocks of each; given way to by nothing that waits at the screen. */
  kinship: [Record<never, never>, { readonly kin: readonly Kin[] }];
  /** How fast the backend in use computes and these checkpoints, by id, are read; gives way as `kinship` does. */
  rates: [{ readonly checkpoints: readonly string[] }, Rates];
  /** Figures for the recipe over the held sample; a later request supersedes an earlier one, which rejects as cancelled. */
  explore: [Asked, { readonly tensors: readonly TensorFigures[]; readonly milliseconds: number; readonly sample: SampleInfo }];
  /** Figures for a recipe beside the one on the screen (a point of a series, a snapshot): superseded by nothing. */
  estimate: [Asked, { readonly tensors: readonly TensorFigures[] }];
  /** The views of the held sample; of each, a later request supersedes an earlier one. */
  surface: [Asked & { readonly surface: SurfaceRequest }, { readonly tensors: readonly TensorView<SlotSurface>[] }];
  slackCurve: [Asked & { readonly slack: SlackCurveRequest }, { readonly tensors: readonly TensorView<SlotSlackCurve>[] }];
  effect: [Asked, { readonly tensors: readonly TensorView<SlotEffect>[] }];
  /** Null when no such tensor is merged. */
  distribution: [Asked & { readonly tensor: string }, TensorView<SlotDistribution> | null];
  /** Counts every tensor in full and writes nothing; sends `progress` and `tensor` events as a merge does. */
  scan: [Asked, { readonly tensors: readonly TensorFigures[]; readonly seconds: number }];
  /** Merges again and compares with `merged`, an open checkpoint's id; writes nothing. A job: sends `progress` events. */
  verify: [Asked & { readonly merged: string; /** What its sources held, by the ids of the open ones. */ readonly contents?: Readonly<Record<string, string>> }, VerifyReport];
  plan: [{ readonly recipe: Recipe; readonly choices: FitChoices; readonly shardBytes: number }, PlanSummary];
  merge: [
    {
      readonly recipe: Recipe;
      readonly choices: FitChoices;
      readonly shardBytes: number;
      readonly destination: PickedFolder | null;
      readonly replace: boolean;
      /** Compute everything again on the CPU and compare, once it is written. */
      readonly recheck?: boolean;
      /** Carries on the unfinished merge of this recipe that lies there. */
      readonly resume?: boolean;
      /** The text the recipe was read from, for the exported one. */
      readonly text?: RecipeText | null;
    },
    MergeSummary,
  ];
  /** The unfinished export that lies where the destination is; null where none does, or another tab is at it. */
  unfinished: [{ readonly destination: PickedFolder | null }, Unfinished | null];
  /** Files there that are of an export: a merge that replaces it removes or replaces these. */
  older: [{ readonly destination: PickedFolder | null }, { readonly names: readonly string[] }];
  /** Removes the unfinished export, and nothing else. Replies with what could not be removed. */
  removeUnfinished: [{ readonly destination: PickedFolder | null }, { readonly left: readonly string[] }];
  planBatch: [{ readonly entries: readonly BatchRequestEntry[]; readonly shardBytes: number }, BatchPlanSummary];
  /** Several merges in one job, a folder each. Replies, too, when it was stopped after some folders were finished. */
  batch: [{ readonly entries: readonly BatchRequestEntry[]; readonly shardBytes: number; readonly destination: PickedFolder | null; /** As for `merge`, each merge after the other. */ readonly recheck?: boolean; /** Carries on what lies there. */ readonly resume?: boolean; /** Empties private storage first; another folder is never emptied. */ readonly anew?: boolean }, BatchSummary];
  pause: [{ readonly paused: boolean }, null];
  cancel: [Record<never, never>, null];
  /** Files of a finished export in private storage, or of several; empty where there is none, or a tab is exporting there. */
  stored: [Record<never, never>, { readonly stamps: readonly ExportedStamp[] }];
  /** Removes these, and nothing where one is not what it was. */
  removeStored: [{ readonly stamps: readonly ExportedStamp[] }, null];
  /** A file of a finished export in private storage, as an opaque File for downloading; refused when it is not the one that was reported. */
  exported: [{ readonly was: ExportedStamp }, { readonly handle: unknown }];
}
export type RequestName = keyof Requests;
export type RequestPayload<N extends RequestName> = Requests[N][0];
export type Reply<N extends RequestName> = Requests[N][1];

/** Sent without being asked for. */
export type WorkerEvent =
  | { readonly event: 'progress'; readonly progress: MergeProgress }
  | { readonly event: 'tensor'; readonly figures: readonly TensorFigures[] }
  /** A finer sample is held: the same question now has a better answer. */
  | { readonly event: 'sample' }
  /** Finished weight files, of all its folders so far, that a failed job leaves to be resumed. */
  | { readonly event: 'kept'; readonly shards: number }
  /** Files that a failed merge could not remove. */
  | { readonly event: 'left'; readonly names: readonly string[] }
  | { readonly event: 'backend'; readonly report: BackendReport };

export type ToWorker = { [N in RequestName]: { readonly id: number; readonly request: N; readonly payload: RequestPayload<N> } }[RequestName];
export type FromWorker =
  | { readonly id: number; readonly ok: true; readonly reply: unknown }
  | { readonly id: number; readonly ok: false; readonly error: WireError }
  | WorkerEvent;

export type { FileEntry };
