/**
 * The methods, one row each: everything that planning, resolving, both backends, the YAML and the page ask about a method. A new
 * one is a row here and, where no pass does what it needs, a file in each backend; a row that lacks an answer does not compile.
 */
import { modelStock, nuslerp, slerp, type AngleRule } from './angles';
import type { Drop, Method } from './types';

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
  /** Which values of a task vector take part: all of them, or by density the largest, or those that a seeded draw keeps. */
  readonly keeps: 'all' | 'largest' | 'drawn';
  /** Whether the models elect a sign at every position: conflicts are then won, and what disagrees is discarded. */
  readonly elects: boolean;
  /** Whether positions can be given back to a preferred model (merging.md section 6). */
  readonly slack: boolean;
  /** Dividing by the sum of the weights where the recipe does not say (merging.md sections 4 and 7). */
  readonly normalize: boolean;
  /** Giving back what trimming or dropping took from the sum of magnitudes, where the recipe does not say. */
  readonly rescale: boolean;
  /** Where the weights of the sum come from: the recipe, SLERP's t, or the angles alone. */
  readonly weights: 'each' | 't' | 'none';
  /** How lengths and angles of a tensor's vectors make the weights; null where they do not enter. */
  readonly angle: AngleRule | null;
  /** Fewest and most models. */
  readonly models: readonly [number, number];
  /** MergeKit's `merge_method`; what else there is to say stands under the studio's own key. */
  readonly mergekit: string;
}

const TRAITS: Readonly<Record<Method, MethodTraits>> = {
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
    models: [1, MAX_MODELS],
    mergekit: 'dare_linear',
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
    models: [2, 2],
    mergekit: 'slerp',
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
    models: [2, MAX_MODELS],
    mergekit: 'model_stock',
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
    models: [1, MAX_MODELS],
    mergekit: 'dare_ties',
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
    models: [1, MAX_MODELS],
    mergekit: 'ties',
  },
};

/** Where a recipe does not say how to drop. */
export const DEFAULT_DROP: Drop = { seed: 0, rescaleBy: 'magnitude' };

/** SLERP's place between its models where a recipe does not say. */
export const DEFAULT_T = 0.5;

export function traitsOf(method: Method): MethodTraits {
  return TRAITS[method];
}

/** Methods whose values come and go with a density (k_i). */
export function readsDensity(method: Method): boolean {
  return TRAITS[method].keeps !== 'all';
}

/** Methods that trim by density and elect a sign: surfaces over two densities and slack curves are counted of these alone. */
export function trimsAndElects(method: Method): boolean {
  return TRAITS[method].keeps === 'largest' && TRAITS[method].elects;
}

/** Methods that drop values by a seeded draw. */
export function drops(method: Method): boolean {
  return TRAITS[method].keeps === 'drawn';
}

/** Methods that divide by the sum of the weights where the recipe asks for it. */
export function readsNormalize(method: Method): boolean {
  return TRAITS[method].angle === null;
}

/** Methods that scale the merged task vector by lambda. */
export function readsLambda(method: Method): boolean {
  return TRAITS[method].angle === null && TRAITS[method].of === 'task-vectors';
}

/** Methods that merge differences from a base. */
export function needsBase(method: Method): boolean {
  return TRAITS[method].of === 'task-vectors';
}
