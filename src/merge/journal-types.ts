/** What lies beside an unfinished export: which merge it is of, and what of it is complete. */
import type { BackendInfo, SlotResult } from './backend';
import type { Checked } from './spot-check';

/** A checkpoint that is merged, as it was when the merge began. */
export interface JournalSource {
  /** In the recipe of the journal; another one once the files are dropped again from elsewhere. */
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
  /** Bytes of all shards. */
  readonly bytes: number;
  /** Hex SHA-256 over blocks of its values. */
  readonly contents: string;
  /** Hex SHA-256 over what of the files beside its weights takes part: an adapter's settings, tokens where rows are matched by them. */
  readonly beside: string | null;
  /** Its shards in order; `modified` in milliseconds since the epoch, 0 where that is not known. */
  readonly files: readonly { readonly name: string; readonly size: number; readonly modified: number }[];
}

/** What a merge is of. */
export interface JournalSubject {
  /** Name and version of this application. */
  readonly application: string;
  /** `encodeRecipe` of the recipe, in the ids of `sources`. */
  readonly recipe: string;
  /** The FitChoices as JSON, likewise. */
  readonly choices: string;
  /** The RecipeText the recipe was read from as JSON, `null` for none. */
  readonly text: string;
  /** Largest output shard, payload bytes. */
  readonly shardBytes: number;
  readonly sources: readonly JournalSource[];
}

/** A shard all of whose bytes are with the storage. It counts when the file is there and its bytes have these digests. */
export interface FinishedShard {
  readonly file: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly pieceBytes: number;
  /** `pieceDigest` of each piece of `pieceBytes`, in order. */
  readonly digests: readonly string[];
  /** Every backend that merged some of it; none where it was only copied. */
  readonly madeBy: readonly BackendInfo[];
  /** By merged tensor, in the order of writing. */
  readonly figures: readonly (readonly [tensor: string, result: SlotResult])[];
  readonly overflow: number;
  readonly checked: Checked;
}

export interface Journal {
  readonly subject: JournalSubject;
  /** Milliseconds since the epoch: the merge's beginning, and the last change. */
  readonly started: number;
  readonly updated: number;
  /** `layoutOf` the plan. */
  readonly layout: string;
  /** Every shard that will be written, with its bytes. */
  readonly shards: readonly { readonly file: string; readonly bytes: number }[];
  /** Names of all files that will be written, but for this one. */
  readonly files: readonly string[];
  /** Files of an older export that are there until this one is merged; empty when it replaces none. */
  readonly replaces: readonly string[];
  /** Weights of this export have taken the place of the older one's, whatever names are there. */
  readonly isReplaced: boolean;
  readonly done: readonly FinishedShard[];
}
