/** What the bottom bar says of a job under way and of what came of it. */
import { createElement, type ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import type { Controller } from '../../../src/state/controller';
import { createStudioStore } from '../../../src/state/store';
import type { Job, JobKind, StudioState } from '../../../src/state/types';
import { JobPanel } from '../../../src/ui/run/JobPanel';
import { ProgressLine } from '../../../src/ui/run/ProgressLine';
import { StudioContext } from '../../../src/ui/studio';
import { PROGRESS } from '../state/fakes';

/** The element's text, entities and spaces plain, and its markup. */
function render(element: ReactElement, state: Partial<StudioState>): { text: string; markup: string } {
  const store = createStudioStore();
  // Rendering without a page shows the state a store began with.
  Object.assign(store.getInitialState(), state);
  const markup = renderToStaticMarkup(createElement(StudioContext, { value: { store, controller: {} as Controller } }, element));
  return { markup, text: markup.replaceAll(/<[^>]*>/g, '|').replaceAll(/[\u00a0\u202f]/g, ' ').replaceAll('&#x27;', "'") };
}

const { target } = createStudioStore().getState();

describe('progress', () => {
  const running = (kind: JobKind): Job => ({ status: 'running', kind, progress: PROGRESS });

  it.each<[JobKind, boolean]>([['merge', true], ['batch', true], ['scan', false], ['verify', false]])('of a %s tells of writing: %s', (kind, writes) => {
    const { markup, text } = render(createElement(ProgressLine), { job: running(kind) });
    expect(markup.includes('Writing, share of the time')).toBe(writes);
    expect(text.includes('5 B of 20 B written')).toBe(writes);
    expect(text).toContain('20 B of 60 B read');
  });
});

describe('a problem at the destination', () => {
  const problem = { code: 'destination', reason: 'permission', message: '', where: { file: 'out' } } as const;

  it('stands beside the report, and each can be put away', () => {
    const { markup } = render(createElement(JobPanel), { target: { ...target, problem }, job: { status: 'counted', tensors: 3, seconds: 1 } });
    expect(markup).toContain('Hide this problem');
    expect(markup).toContain('Counted in');
    expect(markup).toContain('Close the report');
    expect(markup.indexOf('Hide this problem')).toBeLessThan(markup.indexOf('Counted in'));
    expect(render(createElement(JobPanel), { target: { ...target, problem } }).markup).toContain('Hide this problem');
  });
});
