/** What the bottom bar offers on a page that can write nowhere (issue 6). */
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { DestinationError } from '../../../src/bytes/errors';
import type { Controller } from '../../../src/state/controller';
import { createStudioStore } from '../../../src/state/store';
import { MergeBar } from '../../../src/ui/run/MergeBar';
import { StudioContext } from '../../../src/ui/studio';
import { TIES } from '../recipe/recipes';
import { PLAN } from '../state/fakes';

function barOf(nowhere: DestinationError | null): string {
  const store = createStudioStore({ nowhere: nowhere?.toWire() ?? null });
  const { decisions } = store.getInitialState();
  // Rendering without a page shows the state a store began with.
  Object.assign(store.getInitialState(), {
    decisions: { ...decisions, present: { ...decisions.present, recipe: TIES } },
    plan: { summary: PLAN, loading: false, problem: null },
  });
  return renderToStaticMarkup(createElement(StudioContext, { value: { store, controller: {} as Controller } }, createElement(MergeBar)));
}
const buttons = (markup: string) => [...markup.matchAll(/<button([^>]*)>(Merge|Export several…)<\/button>/g)].map(([, attributes, name]) => [name, / disabled=""/.test(attributes!)]);

describe('the bottom bar', () => {
  it('offers destinations and merging where the page can write', () => {
    const bar = barOf(null);
    expect(bar).toContain('aria-label="Destination"');
    expect(buttons(bar)).toEqual([['Export several…', false], ['Merge', false]]);
  });

  it.each([
    ['insecure-page', 'This page can explore, but not merge', 'over https or from localhost'],
    ['no-storage', 'This browser can explore, but not merge', 'a current Chrome'],
  ])('says in place of them why there are none (%s), and what to do', (reason, title, action) => {
    const bar = barOf(new DestinationError(reason, 'for developers'));
    expect(bar).not.toContain('aria-label="Destination"');
    expect(bar).toContain(`<strong>${title}.</strong>`);
    expect(bar).toContain(action);
    expect(buttons(bar)).toEqual([['Export several…', true], ['Merge', true]]);
  });
});
