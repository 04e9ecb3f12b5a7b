import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRecipeError } from '../../../src/bytes/errors';
import { decodeRecipe, encodeRecipe, MAX_RECIPE_TEXT } from '../../../src/recipe/serialise';
import { anyRecipe, TIES } from './recipes';

const SHORT =
  '{"v":1,"method":"ties","base":"base","models":[{"model":"sft","density":0.2},{"model":"ct"}],"slack":{"s":0.04,"of":"retained","prefer":"sft"}}';

function refusal(text: string): { reason: string; names: readonly string[] | undefined } {
  try {
    decodeRecipe(text);
  } catch (error) {
    if (error instanceof InvalidRecipeError) return { reason: error.reason, names: error.where.names };
    throw error;
  }
  throw new Error('not refused');
}

describe('a recipe as text', () => {
  it('leaves defaults out and stands in one order', () => {
    expect(encodeRecipe(TIES)).toBe(SHORT);
    expect(decodeRecipe(SHORT)).toEqual(TIES);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(anyRecipe, (recipe) => {
        expect(decodeRecipe(encodeRecipe(recipe))).toEqual(recipe);
      }),
    );
  });

  it('takes the default of normalize from the method', () => {
    const recipe = { ...TIES, method: 'task_arithmetic', normalize: false } as const;
    expect(encodeRecipe(recipe)).not.toContain('normalize');
    expect(decodeRecipe(encodeRecipe(recipe)).normalize).toBe(false);
    expect(decodeRecipe(encodeRecipe({ ...recipe, normalize: true })).normalize).toBe(true);
  });
});

describe('hostile recipe text is refused with the place', () => {
  it.each([
    ['', 'recipe-not-json', undefined],
    ['{', 'recipe-not-json', undefined],
    ['['.repeat(100_000), 'recipe-not-json', undefined],
    ['x'.repeat(MAX_RECIPE_TEXT + 1), 'recipe-too-long', undefined],
    ['null', 'recipe-malformed', ['recipe']],
    ['[]', 'recipe-malformed', ['recipe']],
    ['{}', 'recipe-malformed', ['recipe.v']],
    [SHORT.replace('"v":1', '"v":2'), 'recipe-version', undefined],
    [SHORT.replace('"v":1', '"v":{}'), 'recipe-version', undefined],
    [SHORT.replace('"ties"', '"passthrough"'), 'recipe-malformed', ['method']],
    [SHORT.replace('"ties"', '"toString"'), 'recipe-malformed', ['method']],
    [SHORT.replace('"base":"base"', '"base":7'), 'recipe-malformed', ['base']],
    [SHORT.replace('"base":"base",', ''), 'recipe-malformed', ['recipe.base']],
    [SHORT.replace('"v":1', '"v":1,"__proto__":{}'), 'recipe-malformed', ['recipe.__proto__']],
    [SHORT.replace('0.2', '1e400'), 'recipe-malformed', ['models[0].density']],
    [SHORT.replace('0.2', '"0.2"'), 'recipe-malformed', ['models[0].density']],
    [SHORT.replace('0.2', '[0.2,[1]]'), 'recipe-malformed', ['models[0].density[1]']],
    [SHORT.replace('0.2', '[null]'), 'recipe-malformed', ['models[0].density[0]']],
    [SHORT.replace('0.2', '[{"filter":1,"value":1}]'), 'recipe-malformed', ['models[0].density[0].filter']],
    [SHORT.replace('0.2', '[{"value":1,"x":1}]'), 'recipe-malformed', ['models[0].density[0].x']],
    [SHORT.replace('0.2', '[{"value":[{"value":1}]}]'), 'recipe-malformed', ['models[0].density[0].value[0]']],
    [SHORT.replace('{"model":"ct"}', '{}'), 'recipe-malformed', ['models[1].model']],
    [SHORT.replace('"of":"retained"', '"of":"all"'), 'recipe-malformed', ['slack.of']],
    [SHORT.replace('"v":1', '"v":1,"rules":[{"filter":"a","action":"delete"}]'), 'recipe-malformed', ['rules[0].action']],
    [SHORT.replace('"v":1', '"v":1,"outDtype":"F64"'), 'recipe-malformed', ['outDtype']],
    [SHORT.replace('0.2', '0'), 'density-out-of-range', ['density']],
    [SHORT.replace('0.2', '[]'), 'gradient-empty', ['density']],
    [SHORT.replace('"models":[{"model":"sft","density":0.2},{"model":"ct"}]', '"models":[]'), 'models-empty', ['models']],
  ])('case %#', (text, reason, names) => {
    expect(refusal(text)).toEqual({ reason, names });
  });

  it('never fails in another way', () => {
    const damaged = fc.tuple(anyRecipe, fc.nat(), fc.nat({ max: 3 }), fc.string({ maxLength: 4 })).map(([recipe, at, length, put]) => {
      const text = encodeRecipe(recipe);
      const from = at % text.length;
      return text.slice(0, from) + put + text.slice(from + length);
    });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.json(), fc.string()), (text) => {
        try {
          decodeRecipe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRecipeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
