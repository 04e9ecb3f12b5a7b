/** The state of the page: serialisable values only. Handles, tensors and devices live elsewhere. */
import type { WireError } from '../bytes/errors';
import type { Checkpoint, ModuleKind } from '../checkpoint/types';
import type { Kin } from '../merge/kinship';
import type { FitChoices } from '../merge/plan-types';
import type { RecipeText } from '../recipe/mergekit';
import type { Results } from '../recipe/results';
import type { Recipe } from '../recipe/types';
import type { BackendChoice, BackendReport, BatchSummary, ExportedStamp, KeptRoot, MergeProgress, MergeSummary, PlanSummary, Rates, Reply, RequestPayload, SampleInfo, TensorFigures, Unfinished, VerifyReport } from '../worker/protocol';
import type { History } from './history';

/** What a checkpoint is to the merge; `none`: open, but takes no part. */
export const ROLES = ['base', 'sft', 'ct', 'other', 'none'] as const;
export type Role = (typeof ROLES)[number];

/** What undo and redo go through: everything the user decides about the merge. */
export interface Decisions {
  /** By checkpoint id; one base and one SFT at most. A checkpoint not named has `none`. */
  readonly roles: Readonly<Record<string, Role>>;
  readonly recipe: Recipe;
  /** The text the recipe was last read from: its comments and names are kept. */
  readonly text: RecipeText | null;
  readonly choices: FitChoices;
  /** Largest output shard, payload bytes. */
  readonly shardBytes: number;
}

/** MergeKit's YAML as dropped. */
export interface RecipeFile {
  readonly file: string;
  readonly text: string;
}

export interface CheckpointsState {
  /** In the order of opening. */
  readonly open: readonly Checkpoint[];
  readonly problems: readonly { readonly file: string; readonly error: WireError }[];
  readonly ignored: readonly string[];
  /** Openings under way. */
  readonly opening: number;
}

export interface FiguresState {
  readonly tensors: readonly TensorFigures[];
  /** What `tensors` come from; null before the first, and where a merge or a scan has counted. */
  readonly sample: SampleInfo | null;
  readonly loading: boolean;
  /** Why the last request brought no figures. */
  readonly problem: WireError | null;
}

/** Requests for a view of the held sample, asked while a chart shows it (state/views.ts). */
export type ViewName = 'surface' | 'slackCurve' | 'effect' | 'distribution';
/** What a view asks besides the recipe. */
export type Question<N extends ViewName> = Omit<RequestPayload<N>, 'recipe' | 'choices'>;
export interface Viewed<N extends ViewName> {
  /** True while an answer is on its way; the one shown is of a recipe or a question before. */
  readonly loading: boolean;
  readonly problem: WireError | null;
  /** The latest answer, with the question it answers. Null before the first. */
  readonly answer: { readonly question: Question<N>; readonly reply: Reply<N> } | null;
}
export type ViewsState = { readonly [N in ViewName]: Viewed<N> };

/** Views that also show the compared snapshot (state/compared-views.ts). */
export type ComparedViewName = 'effect' | 'slackCurve';
export interface ComparedView<N extends ComparedViewName> {
  /** Of what: recipe, question and sample, as text. */
  readonly key: string;
  /** Id of the snapshot. */
  readonly snapshot: number | null;
  readonly question: Question<N>;
  /** Null where there is a problem. */
  readonly reply: Reply<N> | null;
  readonly problem: WireError | null;
}
export type ComparedViewsState = { readonly [N in ComparedViewName]: ComparedView<N> | null };

/** Where the pointer or the focus is on a chart: what the other charts light up. Not in the address, nothing to undo. */
export interface Hover {
  readonly layer: number | null;
  readonly module: ModuleKind | null;
  readonly tensor: string | null;
}

export interface PlanState {
  readonly summary: PlanSummary | null;
  /** True while the summary is of decisions before the present ones. */
  readonly loading: boolean;
  readonly problem: WireError | null;
}

/** A merge writes a checkpoint, a batch several; a scan counts every tensor, a verification compares every tensor, and both write nothing. */
export type JobKind = 'merge' | 'batch' | 'scan' | 'verify';
/** Finished weight files that a job which stopped leaves to be resumed; null where it told of none: it wrote nothing, or could not say. */
export type Kept = number | null;
export type Job =
  | { readonly status: 'idle' }
  | { readonly status: 'running' | 'paused' | 'cancelling'; readonly kind: JobKind; readonly progress: MergeProgress | null }
  /** A merge. */
  | { readonly status: 'finished'; readonly summary: MergeSummary }
  /** A batch: all of it, or what was finished before it stopped. */
  | { readonly status: 'batched'; readonly summary: BatchSummary; readonly kept: Kept }
  /** A scan. */
  | { readonly status: 'counted'; readonly tensors: number; readonly seconds: number }
  /** A verification of the checkpoint of that id. */
  | { readonly status: 'verified'; readonly merged: string; readonly report: VerifyReport }
  | { readonly status: 'failed'; readonly kind: JobKind; readonly error: WireError; readonly progress: MergeProgress | null; readonly kept: Kept }
  | { readonly status: 'cancelled'; readonly kind: JobKind; readonly kept: Kept };

/** Null is the browser's private storage; the folder's handle is kept by the controller. */
export interface TargetState {
  readonly folder: string | null;
  readonly replace: boolean;
  /** Compute everything again on the CPU once it is written. */
  readonly recheck: boolean;
  /** False where the browser cannot write to a folder on disk. */
  readonly canWriteFolders: boolean;
  /** Why this page can write nowhere at all: it explores, and merges nothing. */
  readonly nowhere: WireError | null;
  /** Files of an export that is there: what replacing it would remove or replace. */
  readonly older: readonly string[];
  /** An interrupted export lies there. */
  readonly unfinished: Unfinished | null;
  /** Files of a finished export in private storage, whichever destination is chosen. */
  readonly stored: readonly ExportedStamp[];
  /** Files of the last export that failed or was removed, which are still there. */
  readonly left: readonly string[];
  /** What went wrong there beside a job: choosing a folder, removing what lies there, a download. */
  readonly problem: WireError | null;
}

export interface BackendState {
  readonly choice: BackendChoice;
  /** Null until the worker has answered. */
  readonly report: BackendReport | null;
  /** The choice could not be started at all. */
  readonly problem: WireError | null;
  readonly starting: boolean;
  /** Both backends are being measured. */
  readonly measuring: boolean;
  /** Bytes that a merge may hold: as chosen (null: automatic), and what automatic means once the worker has told. */
  readonly memory: { readonly chosen: number | null; readonly automatic: number | null };
}

/** The part that reads and computes, while it is not well. */
export interface WorkerState {
  /** Why it stopped; null while it lives. */
  readonly problem: WireError | null;
  /** Another one is being given what was open. */
  readonly restarting: boolean;
}

/** The studio itself, kept on this machine by its service worker. */
export interface OfflineState {
  /** This version opens without a network. */
  readonly kept: boolean;
  /** A newer version is on this machine and waits to take over. */
  readonly update: boolean;
}

export interface ChartView {
  readonly tab: 'layers' | 'modules' | 'map' | 'surface' | 'series' | 'slack' | 'effect' | 'figures';
  readonly layer: number | null;
  readonly module: ModuleKind | null;
  readonly tensor: string | null;
  /** What the tabs show, where it is not what they show at first: figure, grid, axes, scale. Each tab reads its own. */
  readonly shown: Readonly<Record<string, string>>;
}
export type Theme = 'system' | 'light' | 'dark';
export interface ViewState {
  readonly chart: ChartView;
  readonly theme: Theme;
  /** The one panel that is open over the page. */
  readonly panel: 'backend' | 'help' | 'guide' | 'batch' | null;
}

/** A link's recipe and choices, waiting for the checkpoints the recipe names. Their ids are checkpoint names. */
export interface WantedRecipe {
  readonly recipe: Recipe;
  readonly names: readonly string[];
  readonly choices: FitChoices;
  /** Absent: as it is. */
  readonly shardBytes?: number;
  /** Beginnings of fingerprints, by name; none of an old link. */
  readonly fingerprints: Readonly<Record<string, string>>;
}
export interface Unlike {
  readonly name: string;
  /** Beginnings of the fingerprints. */
  readonly wanted: string;
  readonly open: string;
}

/** A recipe whose figures are wanted, and the place they are kept under: what stands there is shown until the new ones come. */
export interface WantedEstimate {
  readonly slot: string;
  readonly recipe: Recipe;
  readonly choices: FitChoices;
}
/** Figures of a recipe beside the one on the screen. */
export interface EstimateState {
  /** Of what: `figuresKey`. */
  readonly key: string;
  /** Empty where there is a problem. */
  readonly tensors: readonly TensorFigures[];
  readonly problem: WireError | null;
}

/** What is drawn against tokens, where it is not what the names say. By checkpoint id. */
export interface SeriesState {
  /** The model of the recipe whose run is drawn; null: the first CT. */
  readonly along: string | null;
  /** Put in (true) or taken out (false) by hand. */
  readonly members: Readonly<Record<string, boolean>>;
  /** Tokens set by hand. */
  readonly tokens: Readonly<Record<string, number>>;
}

/** A recipe kept under a name. Its ids are checkpoint names, so that it outlives the page. */
export interface Snapshot {
  readonly id: number;
  readonly name: string;
  readonly recipe: Recipe;
  readonly choices: FitChoices;
}
export interface SnapshotsState {
  /** Oldest first. */
  readonly list: readonly Snapshot[];
  /** The one that the charts show beside the present recipe. */
  readonly compared: number | null;
}

export interface StudioState {
  readonly checkpoints: CheckpointsState;
  /** How far the open checkpoints are apart; empty until it is known. */
  readonly kin: readonly Kin[];
  readonly decisions: History<Decisions>;
  /** YAML that is being edited, or was dropped and waits for what it names; null: none. */
  readonly draft: { readonly text: string; readonly dropped: boolean } | null;
  /** Recipes that were dropped, with or without a checkpoint beside them. */
  readonly recipes: readonly RecipeFile[];
  readonly figures: FiguresState;
  readonly views: ViewsState;
  readonly comparedViews: ComparedViewsState;
  readonly hover: Hover | null;
  readonly plan: PlanState;
  /** Null while nothing is known of the present checkpoints and backend. */
  readonly rates: Rates | null;
  readonly job: Job;
  readonly target: TargetState;
  readonly backend: BackendState;
  readonly worker: WorkerState;
  /** The table of scores that was dropped last. */
  readonly results: Results | null;
  readonly offline: OfflineState;
  readonly view: ViewState;
  readonly wanted: WantedRecipe | null;
  /** Checkpoints that a link's recipe was applied to although their headers are not those it was made with. */
  readonly unlike: readonly Unlike[];
  /** What the browser can open again, the latest first; what is open is among it. */
  readonly kept: readonly KeptRoot[];
  /** By slot: `series CHECKPOINT`, `snapshot ID`, `snapshot series CHECKPOINT`. */
  readonly estimates: Readonly<Record<string, EstimateState>>;
  readonly series: SeriesState;
  /** A link's, by checkpoint name: what waits for its checkpoints. */
  readonly wantedSeries: SeriesState;
  readonly snapshots: SnapshotsState;
}

/** While a merge or a scan runs, what it depends on must not change under it. */
export function isBusy(job: Job): job is Extract<Job, { status: 'running' | 'paused' | 'cancelling' }> {
  return job.status === 'running' || job.status === 'paused' || job.status === 'cancelling';
}
