/** Recipes by name. */
import type { Recipe, RecipeModel } from './types';

export interface Preset {
  readonly id: 'paper' | 'paper-slack' | 'mergekit' | 'wavg' | 'task-arithmetic';
  readonly label: string;
  /** One line for the page. */
  readonly about: string;
  /**
   * The recipe with this preset's method and parameters. Base, models and their order, output dtype, rules and tokenizer
   * stay. `sft` is the checkpoint id of the task model; without it, the model the slack prefers.
   */
  readonly apply: (recipe: Recipe, sft?: string) => Recipe;
}

/** Densities of arXiv 2407.03994 (task vectors in §3.1, their trimming analysed in §6.1): a fifth of SFT, all of CT. */
export const PAPER_K_SFT = 0.2;
export const PAPER_K_CT = 1;
/** The paper reserves 4 % "based on the results in Figure 4" (arXiv 2407.03994, §6.2; merging.md section 6). */
export const PAPER_SLACK = 0.04;

/** MergeKit's defaults: weight 1, density 1, lambda 1 (merging.md sections 2 to 4). */
const NEUTRAL = { lambda: 1, rescale: false } as const;

/** In the order of the page. */
export const PRESETS: readonly Preset[] = [
  {
    id: 'paper',
    label: 'Paper',
    about: 'TIES with k_sft 0.2 and k_ct 1.0, as in arXiv 2407.03994',
    apply: (recipe, sft) => ({ ...paper(recipe, sft), method: 'ties' }),
  },
  {
    id: 'paper-slack',
    label: 'Paper + slack 4 %',
    about: 'TIES-SV: 4 % of the retained SFT values are given back where the election dropped them (§6.2)',
    apply: (recipe, sft) => {
      const merged = paper(recipe, sft);
      return { ...merged, method: 'ties_sv', slack: { s: PAPER_SLACK, of: 'retained', prefer: merged.slack.prefer } };
    },
  },
  {
    id: 'mergekit',
    label: 'MergeKit defaults',
    about: 'TIES with weight 1, density 1, normalisation on, lambda 1',
    apply: (recipe) => ({ ...recipe, ...NEUTRAL, method: 'ties', normalize: true, models: evenly(recipe) }),
  },
  {
    id: 'wavg',
    label: 'WAVG',
    about: 'Weighted average of the models with equal weights, the baseline of the paper',
    apply: (recipe) => ({ ...recipe, ...NEUTRAL, method: 'linear', normalize: true, models: evenly(recipe) }),
  },
  {
    id: 'task-arithmetic',
    label: 'Task arithmetic',
    about: 'The base plus the sum of the task vectors, nothing trimmed, no election',
    apply: (recipe) => ({ ...recipe, ...NEUTRAL, method: 'task_arithmetic', normalize: false, models: evenly(recipe) }),
  },
];

function paper(recipe: Recipe, sft = recipe.slack.prefer): Recipe {
  const models = recipe.models.map(({ model }): RecipeModel => ({ model, weight: 1, density: model === sft ? PAPER_K_SFT : PAPER_K_CT }));
  return { ...recipe, ...NEUTRAL, normalize: true, models, slack: { ...recipe.slack, prefer: sft } };
}

function evenly({ models }: Recipe): RecipeModel[] {
  return models.map(({ model }) => ({ model, weight: 1, density: 1 }));
}

/**
 * Where a fresh drop starts: Paper + slack 4 %, SFT first and preferred, then the CT models in the order given. Without
 * an SFT model the first CT is preferred and every density is 1. Arguments are checkpoint ids.
 */
export function defaultRecipe(base: string | null, sft: string | null, ct: readonly string[]): Recipe {
  const models = [...(sft === null ? [] : [sft]), ...ct].map((model): RecipeModel => ({ model, weight: 1, density: sft === model ? PAPER_K_SFT : PAPER_K_CT }));
  return {
    method: 'ties_sv',
    base,
    models,
    ...NEUTRAL,
    normalize: true,
    slack: { s: PAPER_SLACK, of: 'retained', prefer: models[0]?.model ?? '' },
    outDtype: 'base',
    rules: [],
    tokenizerFrom: null,
  };
}
