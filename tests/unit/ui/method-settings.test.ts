/** What the recipe panel offers for each method: the settings that its row says it reads, and no other. */
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import type { Controller } from '../../../src/state/controller';
import { createStudioStore } from '../../../src/state/store';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { METHODS, type Method } from '../../../src/recipe/types';
import { RecipePanel } from '../../../src/ui/recipe/RecipePanel';
import { StudioContext } from '../../../src/ui/studio';
import { TIES } from '../recipe/recipes';

function panelOf(method: Method, choices = DEFAULT_CHOICES): string {
  const store = createStudioStore();
  const { decisions } = store.getInitialState();
  const roles = { base: 'base', sft: 'sft', ct: 'ct' } as const;
  // Rendering without a page shows the state a store began with.
  Object.assign(store.getInitialState(), { decisions: { ...decisions, present: { ...decisions.present, roles, choices, recipe: { ...TIES, method } } } });
  return renderToStaticMarkup(createElement(StudioContext, { value: { store, controller: {} as Controller } }, createElement(RecipePanel)));
}

/** Names of a panel's settings, without their model. */
const settingsOf = (method: Method) => {
  const names = [...panelOf(method).matchAll(/role="group" aria-label="([^"]+)"/g)].map(([, name]) => name!.replace(/ of .*/, ''));
  return [...new Set(names)].filter((name) => name !== 'Presets' && name !== 'Settings');
};

describe('the recipe panel', () => {
  it('says when the link of the address bar leaves out what was decided, and points to the YAML, which holds it', () => {
    const leaveOut = (tensors: number) => ({ ...DEFAULT_CHOICES, leaveOut: Object.fromEntries(Array.from({ length: tensors }, (_, i) => [`model.layers.${i}.mlp.gate_proj.weight`, ['sft']])) });
    const title = 'The link in the address bar does not hold everything';
    expect(panelOf('ties', leaveOut(20))).not.toContain(title);
    const said = panelOf('ties', leaveOut(200));
    expect(said).toContain(title);
    expect(said).toMatch(/takes 9\D?\d{3} characters.*copy the MergeKit YAML below\..*model\.layers\.199\.mlp\.gate_proj\.weight/s);
  });

  it.each<[Method, readonly string[]]>([
    ['ties', ['Density', 'Weight', 'Lambda (λ)']],
    ['breadcrumbs', ['Density', 'Outliers', 'Weight', 'Lambda (λ)']],
    ['breadcrumbs_ties', ['Density', 'Outliers', 'Weight', 'Lambda (λ)']],
    ['della', ['Density', 'Lean', 'Weight', 'Lambda (λ)']],
    ['della_linear', ['Density', 'Lean', 'Weight', 'Lambda (λ)']],
    ['sce', ['Positions selected (select_topk)']],
    ['nuslerp', ['Weight']],
    ['model_stock', []],
  ])('%s: %j', (method, settings) => {
    expect(settingsOf(method)).toEqual(settings);
  });

  it('offers angles between rows to model stock, and columns to NuSLERP alone', () => {
    const offered = (method: Method) => ['tensor', 'rows', 'columns'].filter((one) => panelOf(method).includes(`<option value="${one}"`));
    expect([offered('model_stock'), offered('nuslerp'), offered('slerp')]).toEqual([['tensor', 'rows'], ['tensor', 'rows', 'columns'], []]);
  });

  it('rescales DELLA by magnitudes alone, DARE by its density too', () => {
    expect([panelOf('della'), panelOf('dare_ties')].map((text) => text.includes('1 / k (DARE paper)'))).toEqual([false, true]);
  });

  it('has every method in its menu once', () => {
    for (const method of METHODS) expect(panelOf('ties').split(`<option value="${method}"`).length).toBe(2);
  });
});
