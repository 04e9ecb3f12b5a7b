/**
 * The methods, one row each: everything that planning, resolving, the backends, the YAML and the page ask about a method. A new
 * one is a row here and, where no pass does what it needs, a file that says what takes part (merge/masks) or a file in each
 * backend; a row that lacks an answer does not compile.
 */
import { modelStock, nuslerp, slerp, type AngleRule } from './angles';
import type { Method, Vectors } from './types';

/** Most models beside the base; a chunk holds one block of each input at once, and agreement is one bit a model. */
export const MAX_MODELS = 8;

export interface MethodTraits {
  /** As the page and the model card call it. */
  readonly label: string;
  /** In a list of snapshots. */
  readonly short: string;
  /** One line for the page: what is summed, in the symbols of the panel. */
  readonly about: string;
  /** What is summed: the values themselves, which needs no base (the first model takes its part), or differences from the base. */
  readonly of: 'values' | 'task-vectors';
  /**
   * Which values of a task vector take part: all of them; by density the largest, those that a seeded draw keeps, those below the
   * very largest, or those that a draw by rank keeps; or, of all models alike, those where the models vary most.
   */
  readonly keeps: 'all' | 'largest' | 'drawn' | 'middle' | 'ranked' | 'varying';
  /** Whether the models elect a sign at every position: conflicts are then won, and what disagrees is discarded. */
  readonly elects: boolean;
  /** Whether positions can be given back to a preferred model (merging.md section 6). */
  readonly slack: boolean;
  /** Dividing by the sum of the weights where the recipe does not say (merging.md sections 4 and 7). */
  readonly normalize: boolean;
  /** Giving back what trimming or dropping took from the sum of magnitudes, where the recipe does not say. */
  readonly rescale: boolean;
  /** Where the weights of the sum come from: the recipe, SLERP's t, or the values alone. */
  readonly weights: 'each' | 't' | 'none';
  /** How lengths and angles of a tensor's vectors make the weights; null where they do not enter. */
  readonly angle: AngleRule | null;
  /** Between which vectors angles can be taken; one where they do not enter. */
  readonly vectors: readonly Vectors[];
  /** Fewest and most models. */
  readonly models: readonly [number, number];
  /** MergeKit's `merge_method`; what else there is to say stands under the studio's own key. */
  readonly mergekit: string;
}

export const METHOD_TABLE: Readonly<Record<Method, MethodTraits>> = {
  linear: {
    label: 'Weighted average (linear)',
    short: 'WAVG',
    about: 'Σ w θ / Σ w',
    of: 'values',
    keeps: 'all',
    elects: false,
    slack: false,
    normalize: true,
    rescale: false,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'linear',
  },
  task_arithmetic: {
    label: 'Task arithmetic',
    short: 'Task arithmetic',
    about: 'θ_init + λ Σ w τ',
    of: 'task-vectors',
    keeps: 'all',
    elects: false,
    slack: false,
    normalize: false,
    rescale: false,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'task_arithmetic',
  },
  dare_linear: {
    label: 'DARE (linear)',
    short: 'DARE',
    about: 'θ_init + λ Σ w τ, of each τ a random share k, multiplied to make up for the rest',
    of: 'task-vectors',
    keeps: 'drawn',
    elects: false,
    slack: false,
    normalize: false,
    rescale: true,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'dare_linear',
  },
  della_linear: {
    label: 'DELLA (linear)',
    short: 'DELLA',
    about: 'θ_init + λ Σ w τ, of each τ a random share k in which larger values are likelier, multiplied to make up for the rest',
    of: 'task-vectors',
    keeps: 'ranked',
    elects: false,
    slack: false,
    normalize: false,
    rescale: true,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'della_linear',
  },
  breadcrumbs: {
    label: 'Breadcrumbs (linear)',
    short: 'Breadcrumbs',
    about: 'θ_init + λ Σ w τ, of each τ the largest share k below its outliers, the share γ that is larger still',
    of: 'task-vectors',
    keeps: 'middle',
    elects: false,
    slack: false,
    normalize: false,
    rescale: false,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'breadcrumbs',
  },
  slerp: {
    label: 'SLERP',
    short: 'SLERP',
    about: 'Along the arc from the first model to the second, tensor by tensor: t of the way',
    of: 'values',
    keeps: 'all',
    elects: false,
    slack: false,
    normalize: true,
    rescale: false,
    weights: 't',
    angle: slerp,
    vectors: ['tensor'],
    models: [2, 2],
    mergekit: 'slerp',
  },
  nuslerp_values: {
    label: 'NuSLERP (of whole values)',
    short: 'NuSLERP of values',
    about: 'Along the arc between two models, as far as their weights say; no base',
    of: 'values',
    keeps: 'all',
    elects: false,
    slack: false,
    normalize: true,
    rescale: false,
    weights: 'each',
    angle: nuslerp,
    vectors: ['tensor'],
    models: [2, 2],
    mergekit: 'nuslerp',
  },
  nuslerp: {
    label: 'NuSLERP (of task vectors)',
    short: 'NuSLERP',
    about: 'θ_init + the way along the arc between two τ, as far as their weights say',
    of: 'task-vectors',
    keeps: 'all',
    elects: false,
    slack: false,
    normalize: true,
    rescale: false,
    weights: 'each',
    angle: nuslerp,
    vectors: ['tensor', 'rows', 'columns'],
    models: [2, 2],
    mergekit: 'nuslerp',
  },
  model_stock: {
    label: 'Model stock',
    short: 'Model stock',
    about: 'θ_init + r · mean τ; the nearer the τ are to each other, the larger r',
    of: 'task-vectors',
    keeps: 'all',
    elects: false,
    slack: false,
    normalize: true,
    rescale: false,
    weights: 'none',
    angle: modelStock,
    vectors: ['tensor', 'rows'],
    models: [2, MAX_MODELS],
    mergekit: 'model_stock',
  },
  sce: {
    label: 'SCE',
    short: 'SCE',
    about: 'Where models vary most: at every position the sign of the sum of the τ, and the mean of what has it, weighted by the energy of each τ in the tensor',
    of: 'task-vectors',
    keeps: 'varying',
    elects: true,
    slack: false,
    normalize: true,
    rescale: false,
    weights: 'none',
    angle: null,
    vectors: ['tensor'],
    models: [2, MAX_MODELS],
    mergekit: 'sce',
  },
  dare_ties: {
    label: 'DARE (TIES)',
    short: 'DARE-TIES',
    about: 'A random share k of each τ, multiplied to make up for the rest; then the sign that weighs more, as in TIES',
    of: 'task-vectors',
    keeps: 'drawn',
    elects: true,
    slack: false,
    normalize: false,
    rescale: true,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'dare_ties',
  },
  della: {
    label: 'DELLA (TIES)',
    short: 'DELLA-TIES',
    about: 'A random share k of each τ in which larger values are likelier, multiplied to make up for the rest; then the sign that weighs more, as in TIES',
    of: 'task-vectors',
    keeps: 'ranked',
    elects: true,
    slack: false,
    normalize: false,
    rescale: true,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'della',
  },
  breadcrumbs_ties: {
    label: 'Breadcrumbs (TIES)',
    short: 'Breadcrumbs-TIES',
    about: 'The largest share k of each τ below its outliers, the share γ that is larger still; then the sign that weighs more, as in TIES',
    of: 'task-vectors',
    keeps: 'middle',
    elects: true,
    slack: false,
    normalize: false,
    rescale: false,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'breadcrumbs_ties',
  },
  ties: {
    label: 'TIES',
    short: 'TIES',
    about: 'The largest k of each τ; at every position the sign that weighs more, and the mean of what has it',
    of: 'task-vectors',
    keeps: 'largest',
    elects: true,
    slack: false,
    normalize: true,
    rescale: false,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'ties',
  },
  ties_sv: {
    label: 'TIES-SV (TIES with slack)',
    short: 'TIES-SV',
    about: 'TIES, and the narrowest losses of one model are given back to it',
    of: 'task-vectors',
    keeps: 'largest',
    elects: true,
    slack: true,
    normalize: true,
    rescale: false,
    weights: 'each',
    angle: null,
    vectors: ['tensor'],
    models: [1, MAX_MODELS],
    mergekit: 'ties',
  },
};
