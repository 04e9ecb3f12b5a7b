/** What the rows of method-table.ts say, as the questions that are asked. */
import { METHOD_TABLE, type MethodTraits } from './method-table';
import type { Drop, Method } from './types';

export { MAX_MODELS, type MethodTraits } from './method-table';

/** Where a recipe does not say how to drop. */
export const DEFAULT_DROP: Drop = { seed: 0, rescaleBy: 'magnitude' };

/** SLERP's place between its models where a recipe does not say. */
export const DEFAULT_T = 0.5;

/** What Breadcrumbs, DELLA and SCE take where a recipe does not say (MergeKit's). */
export const DEFAULT_GAMMA = 0.01;
export const DEFAULT_EPSILON = 0.15;
export const DEFAULT_TOPK = 1;

export function traitsOf(method: Method): MethodTraits {
  return METHOD_TABLE[method];
}

/** Methods whose values come and go with a density (k_i). */
export function readsDensity(method: Method): boolean {
  return METHOD_TABLE[method].keeps !== 'all' && !readsTopk(method);
}

/** Methods that leave out the share gamma_i of the largest values. */
export function readsGamma(method: Method): boolean {
  return METHOD_TABLE[method].keeps === 'middle';
}

/** Methods whose draw leans towards larger values, by epsilon_i at most. */
export function readsEpsilon(method: Method): boolean {
  return METHOD_TABLE[method].keeps === 'ranked';
}

/** Methods that select positions by how much the models vary there. */
export function readsTopk(method: Method): boolean {
  return METHOD_TABLE[method].keeps === 'varying';
}

/** Methods that trim by density and elect a sign: surfaces over two densities and slack curves are counted of these alone. */
export function trimsAndElects(method: Method): boolean {
  return METHOD_TABLE[method].keeps === 'largest' && METHOD_TABLE[method].elects;
}

/** Methods that drop values by a seeded draw. */
export function drops(method: Method): boolean {
  return METHOD_TABLE[method].keeps === 'drawn' || METHOD_TABLE[method].keeps === 'ranked';
}

/** Methods that can rescale by what was to be kept, and not only by what was. */
export function rescalesByDensity(method: Method): boolean {
  return METHOD_TABLE[method].keeps === 'drawn';
}

/** Methods that divide by the sum of the weights where the recipe asks for it. */
export function readsNormalize(method: Method): boolean {
  return METHOD_TABLE[method].weights === 'each' && METHOD_TABLE[method].angle === null;
}

/** Methods that scale the merged task vector by lambda. */
export function readsLambda(method: Method): boolean {
  return readsNormalize(method) && METHOD_TABLE[method].of === 'task-vectors';
}

/** Methods that merge differences from a base. */
export function needsBase(method: Method): boolean {
  return METHOD_TABLE[method].of === 'task-vectors';
}
