/**
 * The methods, one row each: everything that planning, resolving, both backends, the YAML and the page ask about a method. A new
 * one is a row here and, where no pass does what it needs, a file in each backend; a row that lacks an answer does not compile.
 */
import type { Method } from './types';

export interface MethodTraits {
  /** As the page and the model card call it. */
  readonly label: string;
  /** In a list of snapshots. */
  readonly short: string;
  /** One line for the page: what is summed, in the symbols of the panel. */
  readonly about: string;
  /** What is summed: the values themselves, which needs no base (the first model takes its part), or differences from the base. */
  readonly of: 'values' | 'task-vectors';
  /** Which values of a task vector take part: all of them, or by density the largest. */
  readonly keeps: 'all' | 'largest';
  /** Whether the models elect a sign at every position: conflicts are then won, and what disagrees is discarded. */
  readonly elects: boolean;
  /** Whether positions can be given back to a preferred model (merging.md section 6). */
  readonly slack: boolean;
  /** Dividing by the sum of the weights where the recipe does not say (merging.md sections 4 and 7). */
  readonly normalize: boolean;
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
    mergekit: 'task_arithmetic',
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
    mergekit: 'ties',
  },
};

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

/** Methods that merge differences from a base. */
export function needsBase(method: Method): boolean {
  return TRAITS[method].of === 'task-vectors';
}
