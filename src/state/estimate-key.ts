/** What is estimated beside the recipe on the screen, and what its figures depend on. */
import type { FitChoices } from '../merge/plan-types';
import { encodeRecipe } from '../recipe/serialise';
import type { Recipe } from '../recipe/types';

/** A recipe whose figures are wanted, and the place they are kept under: what stands there is shown until the new ones come. */
export interface WantedEstimate {
  readonly slot: string;
  readonly recipe: Recipe;
  readonly choices: FitChoices;
}

/** What the figures of a recipe depend on, as text: lambda, output and tokenizer change none. */
export function estimateKey({ recipe, choices }: Pick<WantedEstimate, 'recipe' | 'choices'>): string {
  const { leaveOut, extraRows, integerFrom, allowNonfinite } = choices;
  // Slack acts for TIES-SV only.
  const slack = recipe.method === 'ties_sv' ? recipe.slack : { ...recipe.slack, s: 0, of: 'retained' as const };
  const deciding = encodeRecipe({ ...recipe, slack, lambda: 1, outDtype: 'base', tokenizerFrom: null });
  return `${deciding} ${JSON.stringify([leaveOut, extraRows, integerFrom, allowNonfinite])}`;
}
