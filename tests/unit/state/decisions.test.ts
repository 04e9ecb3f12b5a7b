import { describe, expect, it } from 'vitest';
import { validateRecipe } from '../../../src/recipe/validate';
import {
  isMergeable,
  isPreset,
  noDecisions,
  withClosed,
  withExtraRows,
  withIntegerFrom,
  withLeftOut,
  withMethod,
  withModel,
  withOpened,
  withPreset,
  withRole,
  withScaling,
  withTwoLanguages,
} from '../../../src/state/decisions';
import { inRoleOrder } from '../../../src/state/roles';
import { checkpoint } from './fakes';

const open = (...names: string[]) => names.map((name) => checkpoint(name));
const FAMILY = open('base', 'ct-x-256k', 'ct-x-4M', 'ct-y-1M', 'sft');
const family = () => withOpened(noDecisions(), FAMILY);
const models = ({ recipe }: ReturnType<typeof family>) => recipe.models.map(({ model, density }) => [model, density]);

describe('roles of what is opened', () => {
  it('merges the SFT model with the last CT of the first series, and leaves the rest out', () => {
    const { roles, recipe } = family();
    expect(roles).toEqual({ 'id:base': 'base', 'id:sft': 'sft', 'id:ct-x-4M': 'ct', 'id:ct-x-256k': 'none', 'id:ct-y-1M': 'none' });
    expect(recipe.base).toBe('id:base');
    expect(models(family())).toEqual([
      ['id:sft', 0.2],
      ['id:ct-x-4M', 1],
    ]);
    expect([recipe.method, recipe.slack.prefer]).toEqual(['ties_sv', 'id:sft']);
  });

  it('merges the last CT of two series where there is no SFT model', () => {
    expect(models(withOpened(noDecisions(), open('base', 'ct-x-256k', 'ct-x-4M', 'ct-y-1M', 'ct-z-1M')))).toEqual([
      ['id:ct-x-4M', 1],
      ['id:ct-y-1M', 1],
    ]);
  });

  it('gives roles that are still free to what comes later and takes none away', () => {
    const first = withOpened(noDecisions(), open('base'));
    expect(isMergeable(first)).toBe(false);
    const second = withOpened(first, open('base', 'ct-x-4M'));
    const third = withOpened(second, open('base', 'ct-x-4M', 'sft', 'instruct', 'other-base'));
    expect(third.roles).toEqual({ 'id:base': 'base', 'id:ct-x-4M': 'ct', 'id:sft': 'sft', 'id:instruct': 'none', 'id:other-base': 'none' });
    expect(models(third)).toEqual([
      ['id:sft', 0.2],
      ['id:ct-x-4M', 1],
    ]);
    expect(third.recipe.slack.prefer).toBe('id:ct-x-4M');
  });

  it('respects a role the user gave when the rest is guessed', () => {
    const given = withRole(withOpened(noDecisions(), open('alpha')), 'id:alpha', 'sft', open('alpha'));
    expect(withOpened(given, open('alpha', 'beta')).roles).toEqual({ 'id:alpha': 'sft', 'id:beta': 'base' });
  });

  it('orders cards by role, then by opening', () => {
    expect(inRoleOrder(FAMILY, family().roles).map(({ name }) => name)).toEqual(['base', 'sft', 'ct-x-4M', 'ct-x-256k', 'ct-y-1M']);
  });
});

describe('changing a role', () => {
  it('swaps base and model in one gesture; the settings stay with the place', () => {
    const tuned = withModel(family(), 0, { density: 0.37, weight: 2 });
    const swapped = withRole(tuned, 'id:sft', 'base', FAMILY);
    expect(swapped.roles).toMatchObject({ 'id:sft': 'base', 'id:base': 'sft' });
    expect(swapped.recipe.base).toBe('id:sft');
    expect(swapped.recipe.models[0]).toEqual({ model: 'id:base', density: 0.37, weight: 2 });
    expect(swapped.recipe.slack.prefer).toBe('id:base');
  });

  it('swaps SFT and CT with their densities', () => {
    expect(models(withRole(family(), 'id:ct-x-4M', 'sft', FAMILY))).toEqual([
      ['id:ct-x-4M', 0.2],
      ['id:sft', 1],
    ]);
  });

  it('adds a further CT at density 1 and removes it again', () => {
    const three = withRole(family(), 'id:ct-y-1M', 'ct', FAMILY);
    expect(models(three)).toEqual([
      ['id:sft', 0.2],
      ['id:ct-x-4M', 1],
      ['id:ct-y-1M', 1],
    ]);
    expect(withRole(three, 'id:ct-y-1M', 'none', FAMILY).recipe).toEqual(family().recipe);
  });

  it('drops what names a model that takes no part any more', () => {
    const decided = family();
    const recipe = { ...decided.recipe, tokenizerFrom: 'id:ct-x-4M', rules: [{ filter: 'embed', action: 'take' as const, from: 'id:ct-x-4M' }, { filter: '*', action: 'merge' as const }] };
    const without = withRole({ ...decided, recipe }, 'id:ct-x-4M', 'none', FAMILY).recipe;
    expect(without.tokenizerFrom).toBeNull();
    expect(without.rules).toEqual([{ filter: '*', action: 'merge' }]);
  });

  it('closes a checkpoint with every trace of it', () => {
    const decided = withIntegerFrom(withExtraRows(family(), 'id:ct-x-4M'), 'ids', 'id:ct-x-4M');
    const left = withClosed(decided, 'id:ct-x-4M', FAMILY.filter(({ name }) => name !== 'ct-x-4M'));
    expect(left.roles['id:ct-x-4M']).toBeUndefined();
    expect(left.choices).toEqual({ leaveOut: {}, extraRows: 'cut', integerFrom: {}, allowNonfinite: false });
    expect(JSON.stringify(left)).not.toContain('ct-x-4M');
  });
});

describe('edits', () => {
  it('lets normalisation follow the method only where it stands at the default', () => {
    const arithmetic = withMethod(family(), 'task_arithmetic');
    expect(arithmetic.recipe.normalize).toBe(false);
    expect(withMethod(arithmetic, 'ties').recipe.normalize).toBe(true);
    const dare = withMethod(arithmetic, 'dare_ties');
    expect(dare.recipe).toMatchObject({ normalize: false, rescale: true });
    expect(withMethod(dare, 'ties').recipe).toMatchObject({ normalize: true, rescale: false });
    const own = { ...arithmetic, recipe: { ...arithmetic.recipe, normalize: true } };
    expect(withMethod(own, 'ties').recipe.normalize).toBe(true);
  });

  it('knows which preset the recipe is', () => {
    expect(isPreset(family(), 'paper-slack')).toBe(true);
    expect(isPreset(family(), 'paper')).toBe(false);
    expect(isPreset(withPreset(family(), 'paper'), 'paper')).toBe(true);
    expect(isPreset(withModel(family(), 0, { density: 0.21 }), 'paper-slack')).toBe(false);
    expect(isPreset(noDecisions(), 'paper-slack')).toBe(false);
  });

  it('leaves a model out for tensors of any name and takes it in again', () => {
    const out = withLeftOut(family(), 'id:sft', ['__proto__', 'a'], true);
    expect(Object.keys(out.choices.leaveOut)).toEqual(['__proto__', 'a']);
    expect(Object.getOwnPropertyDescriptor(out.choices.leaveOut, '__proto__')?.value).toEqual(['id:sft']);
    expect(withLeftOut(out, 'id:sft', ['__proto__'], false).choices.leaveOut).toEqual({ a: ['id:sft'] });
  });

  it('takes the tokenizer along with the rows it needs, and gives it back', () => {
    const kept = withExtraRows(family(), 'id:ct-x-4M');
    expect([kept.choices.extraRows, kept.recipe.tokenizerFrom]).toEqual([{ from: 'id:ct-x-4M' }, 'id:ct-x-4M']);
    const cut = withExtraRows(kept, null);
    expect([cut.choices.extraRows, cut.recipe.tokenizerFrom]).toEqual(['cut', null]);
    const own = { ...kept, recipe: { ...kept.recipe, tokenizerFrom: 'id:sft' } };
    expect(withExtraRows(own, null).recipe.tokenizerFrom).toBe('id:sft');
  });
});

describe('one checkpoint alone', () => {
  const named = (...names: string[]) => names.map((name) => ({ id: name, name }));
  it('is a weighted sum of itself, whatever role it was given, and keeps the weight it has', () => {
    const open = named('my-model');
    const before = withOpened(noDecisions(), open);
    expect(before.roles).toEqual({ 'my-model': 'base' });
    const scaled = withScaling(before, open)!;
    expect(scaled.roles).toEqual({ 'my-model': 'other' });
    expect(scaled.recipe).toMatchObject({ method: 'linear', base: null, normalize: false, models: [{ model: 'my-model', weight: 1, density: 1 }] });
    expect(validateRecipe(scaled.recipe)).toEqual([]);
    const half = withModel(scaled, 0, { weight: 0.5 });
    expect(withScaling(half, open)!.recipe).toEqual(half.recipe);
  });
  it('is not offered beside others, or where nothing is open', () => {
    const open = named('base', 'sft');
    expect([withScaling(withOpened(noDecisions(), open), open), withScaling(noDecisions(), [])]).toEqual([null, null]);
  });
});

describe('SFT and two languages', () => {
  const named = (...names: string[]) => names.map((name) => ({ id: name, name }));
  const from = (...names: string[]) => ({ open: named(...names), decisions: withOpened(noDecisions(), named(...names)) });

  it('takes the last checkpoint of another run beside the one that is merged, at the densities of the paper', () => {
    const { open, decisions } = from('base', 'sft', 'ct-x-1M', 'ct-x-4M', 'ct-y-256k', 'ct-y-1M');
    const { recipe, roles } = withTwoLanguages(decisions, open)!;
    expect(recipe.models.map(({ model, density }) => [model, density])).toEqual([['sft', 0.2], ['ct-x-4M', 1], ['ct-y-1M', 1]]);
    expect([recipe.method, recipe.slack.prefer, roles['ct-x-1M']]).toEqual(['ties', 'sft', 'none']);
    // Pressing it again changes nothing.
    expect(withTwoLanguages({ ...decisions, recipe, roles }, open)!.recipe).toEqual(recipe);
  });
  it('needs a second run and a task model', () => {
    const one = from('base', 'sft', 'ct-x-1M', 'ct-x-4M');
    expect(withTwoLanguages(one.decisions, one.open)).toBeNull();
    const noTask = from('base', 'ct-x-1M', 'ct-y-1M');
    expect(withTwoLanguages(noTask.decisions, noTask.open)).toBeNull();
  });
});
