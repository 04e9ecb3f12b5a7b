/** What to do: a merge as data. Serialisable, names checkpoints by id, knows no file and no tensor. */
import type { OutputDtype } from '../bytes/dtypes';

export const METHODS = [
  'linear', 'task_arithmetic', 'dare_linear', 'della_linear', 'breadcrumbs', 'slerp', 'nuslerp_values', 'nuslerp', 'model_stock',
  'sce', 'dare_ties', 'della', 'breadcrumbs_ties', 'ties', 'ties_sv',
] as const;
export type Method = (typeof METHODS)[number];

/** A value for every tensor, or a gradient: interpolated linearly over layers (merging.md section 9). */
export type Gradient<T extends number | boolean> = T | readonly number[];
/** First match wins; substring of the tensor name; `*` or no filter matches all. */
export interface FilterRule<T extends number | boolean> {
  readonly filter?: string;
  readonly value: Gradient<T>;
}
/** MergeKit's parameter forms: scalar, gradient or filter list. */
export type Setting<T extends number | boolean> = Gradient<T> | readonly FilterRule<T>[];

export interface RecipeModel {
  /** Checkpoint id. */
  readonly model: string;
  /** w_i; default 1. */
  readonly weight: Setting<number>;
  /** k_i in (0, 1]; values >= 1 keep everything. Only methods that trim or drop read it. */
  readonly density: Setting<number>;
  /** Share of the largest values that Breadcrumbs leaves out, 0 to 1. Kept while another method is chosen; absent: 0.01. */
  readonly gamma?: Setting<number>;
  /** DELLA keeps with probabilities from k - epsilon to k + epsilon, 0 to 1. Kept while another method is chosen; absent: 0.15. */
  readonly epsilon?: Setting<number>;
}

/**
 * Between which vectors NuSLERP and model stock take angles: a tensor as a whole, or the vectors along its last dimension (rows),
 * or along all but its last (columns).
 */
export const VECTORS = ['tensor', 'rows', 'columns'] as const;
export type Vectors = (typeof VECTORS)[number];

/** The slack variable of TIES-SV (merging.md section 6). */
export interface Slack {
  /** Share of `of` that is reserved, 0 to 1. */
  readonly s: Setting<number>;
  readonly of: 'retained' | 'discarded';
  /** Preferred model p: checkpoint id, one of `models`. */
  readonly prefer: string;
}

/** How DARE and DELLA drop values (merging.md section 7). */
export interface Drop {
  /** Of the generator, 0 to 2^32 - 1: equal seeds drop the same values. */
  readonly seed: number;
  /** What `rescale` multiplies kept values by: sum |tau| / sum |kept tau| over the tensor, or 1 / k. DELLA knows the first alone. */
  readonly rescaleBy: 'magnitude' | 'density';
}

/** Tensors matching `filter` are not merged: kept from base, or taken whole from one model. */
export interface TensorRule {
  /** Substring of the tensor name, `*` for all; first match wins. */
  readonly filter: string;
  readonly action: 'merge' | 'keep-base' | 'take';
  /** Checkpoint id, for `take`. */
  readonly from?: string;
}

/**
 * Over what a share is ranked (merging.md sections 2 and 6): each tensor for itself, as MergeKit does, or the whole model, as the
 * code of the TIES paper does. Over the whole model, tensors whose density (slack) is the same number are ranked together: one
 * number is one ranking of all merged tensors, a gradient or filters give each of their values a ranking of its own.
 */
export const RANKING_SCOPES = ['tensor', 'model'] as const;
export type RankingScope = (typeof RANKING_SCOPES)[number];
export interface Scope {
  readonly trim: RankingScope;
  readonly slack: RankingScope;
}

export interface Recipe {
  readonly method: Method;
  /** Checkpoint id of theta_init; null for `linear` without a base. */
  readonly base: string | null;
  /** In recipe order: the order of every f32 sum. */
  readonly models: readonly RecipeModel[];
  readonly lambda: Setting<number>;
  readonly normalize: Setting<boolean>;
  /** For methods that trim or drop: on by default where they drop (merging.md sections 4 and 7). */
  readonly rescale: boolean;
  /** Kept while another method is chosen; acts for `ties_sv` only. */
  readonly slack: Slack;
  /** Kept while another method is chosen; acts for DARE and DELLA only. Absent: seed 0, rescaled by magnitude. */
  readonly drop?: Drop;
  /** Absent: per tensor, both. What a method does not do has no scope. */
  readonly scope?: Scope;
  /** SLERP's place between the first and the second model, 0 to 1. Kept while another method is chosen; absent: one half. */
  readonly t?: Setting<number>;
  /** Share of positions, those where models vary most, that SCE selects, 0 to 1. Kept while another method is chosen; absent: 1. */
  readonly topk?: Setting<number>;
  /** Kept while another method is chosen; a method that does not know them takes the tensor. Absent: the tensor. */
  readonly vectors?: Vectors;
  /** `base`: each tensor in the base's dtype (F64 as F32). */
  readonly outDtype: OutputDtype | 'base';
  readonly rules: readonly TensorRule[];
  /** Checkpoint id whose config and tokenizer files the export carries; null: the base's. */
  readonly tokenizerFrom: string | null;
}

/** The parameters of one tensor after gradients and filters are resolved. All numbers are float64 as written. */
export interface TensorParameters {
  /** Per model, in recipe order. */
  readonly weight: readonly number[];
  readonly density: readonly number[];
  readonly lambda: number;
  readonly normalize: boolean;
  readonly rescale: boolean;
  /** Absent unless the method is `ties_sv` with a slack above 0. `prefer` is an index into the models. */
  readonly slack?: SlackParameters;
  /** Absent unless the method drops values. */
  readonly drop?: Drop;
  /** Per model; absent unless the method is one of Breadcrumbs. */
  readonly gamma?: readonly number[];
  /** Per model; absent unless the method is one of DELLA. */
  readonly epsilon?: readonly number[];
  /** Absent unless the method is SCE. */
  readonly topk?: number;
  /** Absent where angles are between whole tensors, or play no part. */
  readonly vectors?: Exclude<Vectors, 'tensor'>;
  /** Per model: what tau^_i is multiplied by where it has been decided, f32; it then stands for `rescale`. */
  readonly factor?: readonly number[];
  /** Per model: K_i where a ranking over several tensors has decided it, 0 to N_i; it then stands for `density`. */
  readonly kept?: readonly number[];
}
export interface SlackParameters {
  readonly s: number;
  readonly of: 'retained' | 'discarded';
  readonly prefer: number;
  /** R where a ranking over several tensors has decided it, at most |D|; it then stands for `s` and `of`. */
  readonly reserved?: number;
}
