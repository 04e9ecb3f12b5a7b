/** A checkpoint as the headers describe it. Serialisable; files are opaque ids that only `files/` can open. */
import type { Dtype } from '../bytes/dtypes';

/** A file the user gave, before anything is known of it. `id` is a key into the file store of the worker. */
export interface FileEntry {
  readonly id: string;
  /** Relative to what was dropped, `/` between parts. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

export interface TensorEntry {
  /** Exactly as in the file: may be empty, contain NUL, markup or `__proto__`. */
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Product of the shape. */
  readonly elements: number;
  /** Index into `Checkpoint.shards`. */
  readonly shard: number;
  /** Bytes [begin, end) from the start of the shard's file. */
  readonly begin: number;
  readonly end: number;
  /** Id of the checkpoint whose shards hold the bytes, where that is another: the base of an adapter. */
  readonly owner?: string;
  /** What an adapter adds to those bytes; the values are then formed in F32, see AdaptRequest. */
  readonly adapted?: Adapted;
}

/** `scale * (P Q)`, added to a matrix. */
export interface Adapted {
  readonly rank: number;
  /** An f32 number. */
  readonly scale: number;
  /** P, rows x rank. */
  readonly left: Factor;
  /** Q, rank x columns. */
  readonly right: Factor;
}
export interface Factor {
  /** Checkpoint id. */
  readonly checkpoint: string;
  readonly tensor: TensorEntry;
  /** The file holds it the other way round. */
  readonly isTransposed: boolean;
}

export interface Shard {
  readonly file: FileEntry;
  /** Bytes before the payload: 8 + header length. */
  readonly headerBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What the studio reads of config.json; the file itself is copied on export. */
export interface ModelConfig {
  readonly modelType?: string;
  readonly architecture?: string;
  readonly hiddenSize?: number;
  readonly layers?: number;
  readonly vocabulary?: number;
  readonly tieWordEmbeddings?: boolean;
}

/** The settings of a LoRA adapter (PEFT's names in brackets). */
export interface AdapterConfig {
  /** `r`, for modules without one of their own. */
  readonly rank: number;
  /** `lora_alpha`, for modules without one of their own. */
  readonly alpha: number;
  /** `use_rslora`: alpha is divided by the square root of the rank. */
  readonly rankStabilised: boolean;
  /** `fan_in_fan_out`: the base's matrices are stored input by output. */
  readonly fanInFanOut: boolean;
  /** `rank_pattern` and `alpha_pattern`, in their order: the first that fits a module counts. */
  readonly rankPattern: readonly Pattern[];
  readonly alphaPattern: readonly Pattern[];
  /** `base_model_name_or_path`: whose adapter it says it is. */
  readonly baseModel: string | null;
}
/** A value for the modules whose name ends in what `key`, a regular expression of few means, fits. */
export interface Pattern {
  readonly key: string;
  readonly value: number;
}

export interface Checkpoint {
  /** Stable for the same files: derived from path, sizes and header bytes. */
  readonly id: string;
  /** Folder name, or file name without extension. */
  readonly name: string;
  /** Folder path relative to what was dropped; '' for loose files. */
  readonly path: string;
  readonly shards: readonly Shard[];
  /** UTF-8 byte order of names. */
  readonly tensors: readonly TensorEntry[];
  /** config.json, tokenizer files and the like, beside the shards. */
  readonly sidecars: readonly FileEntry[];
  readonly config: ModelConfig;
  /** Number of values in all tensors. */
  readonly parameters: number;
  /** Bytes of all shards. */
  readonly bytes: number;
  /** Hex SHA-256 over every shard's name, size and header bytes: identity without reading payloads. */
  readonly fingerprint: string;
  /** Of a LoRA adapter, whose tensors are its factors: it is merged as what it makes of the recipe's base. */
  readonly adapter?: AdapterConfig;
  /** Of its tokenizer.json, where planning may look at it: never sent to the page. */
  readonly vocabulary?: Vocabulary;
}

/** Tokens by row and rows by token. */
export interface Vocabulary {
  readonly rows: ReadonlyMap<string, number>;
  /** With holes where no token has the id. */
  readonly tokens: readonly (string | undefined)[];
}
/** Consecutive rows of the base, from `first`, that are rows of a model, from `row`. */
export interface RowRun {
  readonly first: number;
  readonly row: number;
  readonly count: number;
}
/** Tokens of two vocabularies: in both, of these under another id, and in one alone. */
export interface TokenCounts {
  readonly shared: number;
  readonly moved: number;
  readonly onlyInModel: number;
  readonly onlyInBase: number;
}

/** Where a tensor sits in the network, from its name. */
export interface TensorPlace {
  /** 0-based layer; null outside the layers. */
  readonly layer: number | null;
  readonly module: ModuleKind;
}
export const MODULE_KINDS = ['embed', 'q', 'k', 'v', 'o', 'gate', 'up', 'down', 'norm', 'lm_head', 'other'] as const;
export type ModuleKind = (typeof MODULE_KINDS)[number];

/** A problem or a decision of the preflight, for one tensor of one model. */
export interface FitIssue {
  readonly kind:
    | 'quantised' // packed weights, `dtype` the scheme: refused, once for the whole checkpoint
    | 'missing-in-model' // absent in `model`: it takes no part in this tensor
    | 'only-in-model' // not in the base: left out
    | 'tied-head' // `lm_head` absent, the embedding stands in
    | 'tokens-differ' // tokens under other ids: rows are matched by token unless the user says by id. Once a model
    | 'rows-differ' // embedding or head with another number of rows
    | 'shape-differs' // any other difference: refused unless the model is left out for this tensor
    | 'dtype-unsupported' // FP8, FP4, packed: refused as merge input
    | 'integer-differs' // integer tensors whose bytes are not all the same: whose to keep?
    | 'integer-copied'; // copied from base
  readonly severity: 'info' | 'warning' | 'refusal';
  readonly tensor: string;
  /** Checkpoint id. */
  readonly model: string;
  readonly baseShape?: readonly number[];
  readonly modelShape?: readonly number[];
  readonly dtype?: string;
  /** Of `tokens-differ`. */
  readonly tokens?: TokenCounts;
}
