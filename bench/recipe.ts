import type { Recipe } from '../src/recipe/types';

/** Payload bytes of an output shard at most. */
export const MEASURED_SHARD_BYTES = 5e9;

/** What is measured from files to files: TIES at (0.2, 1.0). By ids of checkpoints. */
export function measuredRecipe(base: string, sft: string, ct: string): Recipe {
  return {
    method: 'ties',
    base,
    models: [
      { model: sft, weight: 1, density: 0.2 },
      { model: ct, weight: 1, density: 1 },
    ],
    lambda: 1,
    normalize: true,
    rescale: false,
    slack: { s: 0, of: 'retained', prefer: sft },
    outDtype: 'base',
    rules: [],
    tokenizerFrom: null,
  };
}
