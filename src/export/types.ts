/** What an export is made from, and what it holds besides weights. */
import type { OutputDtype } from '../bytes/dtypes';
import type { Checkpoint, FileEntry } from '../checkpoint/types';
import type { FitChoices } from '../merge/plan-types';
import type { RecipeText } from '../recipe/mergekit';
import type { Recipe } from '../recipe/types';
import type { ConfigChange } from './config';

/** Counts of merging.md section 5, models in recipe order; a `Figures` of `merge` is one. */
export interface ExportCounts {
  readonly numel: number;
  readonly kept: readonly number[];
  readonly conflict: number;
  readonly won: readonly number[];
  readonly discarded: readonly number[];
  readonly reserved: number;
}
export interface ExportFigures {
  /** False when estimated from a sample. */
  readonly exact: boolean;
  readonly whole: ExportCounts;
  /** In the order of the network; tensors outside the layers under labels of their own. */
  readonly layers: readonly { readonly label: string; readonly counts: ExportCounts }[];
}

export interface ExportInput {
  /** Of the output folder; the card's title. */
  readonly name: string;
  /** Name and version of this application. */
  readonly application: string;
  readonly recipe: Recipe;
  /** The text the recipe was read from, whose comments and names the exported one keeps; null when there was none. */
  readonly text?: RecipeText | null;
  /** What was decided where the checkpoints differ; absent: nothing to decide. */
  readonly choices?: FitChoices;
  /** Every checkpoint the recipe names, base first. */
  readonly checkpoints: readonly Checkpoint[];
  /** Hash over the values of each, by id, as `contentsOf` gives it. */
  readonly contents?: ReadonlyMap<string, string>;
  /** Content of the file that `configFile` names; null when it names none. */
  readonly config: Uint8Array | null;
  readonly output: {
    /** dtype of every floating tensor written; null when they differ. */
    readonly dtype: OutputDtype | null;
    /** dtype of most of the values written. */
    readonly dominant: OutputDtype;
    /** Rows of the embedding written; null when there is none. */
    readonly vocabulary: number | null;
    readonly tensors: number;
    readonly parameters: number;
    /** Bytes of all weight files. */
    readonly bytes: number;
  };
  readonly figures: ExportFigures | null;
}

export type ExportFile = { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> } | { readonly name: string; readonly copyFrom: FileEntry };

/** What the user must know of the finished folder. `model` is the name of the checkpoint whose files it carries. */
export type ExportNote =
  /** transformers cannot load the folder: the model has no config.json. */
  | { readonly kind: 'config-missing'; readonly model: string }
  /** config.json is not a JSON object; it is copied unchanged. */
  | { readonly kind: 'config-unreadable'; readonly model: string }
  | { readonly kind: 'config-changed'; readonly model: string; readonly change: ConfigChange }
  /** The model's vocabulary is larger than the embedding that is written: tokens beyond its rows make the merged model fail. */
  | { readonly kind: 'tokenizer-larger'; readonly model: string; readonly tokens: number; readonly rows: number }
  /** No tokenizer among the model's files. */
  | { readonly kind: 'tokenizer-missing'; readonly model: string }
  /** Files of Python code that the model needs; they are copied, and run only with trust_remote_code. */
  | { readonly kind: 'custom-code'; readonly model: string; readonly names: readonly string[] };
