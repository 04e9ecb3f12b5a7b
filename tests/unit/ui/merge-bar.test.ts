/** What the bottom bar says of a job under way and of what came of it. */
import { createElement, type ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import type { Controller } from '../../../src/state/controller';
import { createStudioStore } from '../../../src/state/store';
import type { Job, JobKind, StudioState } from '../../../src/state/types';
import { JobPanel } from '../../../src/ui/run/JobPanel';
import { MergeBar } from '../../../src/ui/run/MergeBar';
import { ProgressLine } from '../../../src/ui/run/ProgressLine';
import { Start } from '../../../src/ui/shell/Start';
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

describe('what a job that stopped leaves', () => {
  const error = { code: 'internal', reason: 'computed-differs', message: '', where: { tensor: 'a', expected: 1, actual: 2 } } as const;
  const died = { code: 'internal', reason: 'worker-died', message: '', where: { actual: 'x' } } as const;
  const said = (job: Job) => render(createElement(JobPanel), { job }).text;
  const failed = (more: Partial<Extract<Job, { status: 'failed' }>>) => said({ status: 'failed', kind: 'merge', error, progress: PROGRESS, kept: 0, ...more });
  const cancelled = (kind: JobKind, kept: number | null) => said({ status: 'cancelled', kind, kept });

  it('is kept only where the job told so', () => {
    expect(failed({ kept: 2 })).toContain('stopped after 1 of 3 tensors; the shard being written was thrown away, finished ones are kept to be resumed.');
    expect(failed({})).toContain('Nothing of this merge was kept.');
    expect(failed({})).toContain('stopped after 1 of 3 tensors; none of its weight files are kept.');
    expect(failed({})).not.toContain('to be resumed');
    expect(failed({ kept: null, progress: null })).toContain('Nothing was written.');
    expect(failed({ kept: null, error: died })).toContain('stopped after 1 of 3 tensors. What it finished stays where it is');
    expect(failed({ kept: null, error: died, progress: null })).toContain('Nothing was written.');
    expect(failed({ kind: 'scan', kept: null })).toContain('Nothing was written.');
  });

  it('of a cancelled merge, or one of several', () => {
    expect(cancelled('merge', 1)).toContain('The sources are untouched. The shard being written was thrown away, finished ones are kept to be resumed.');
    expect(cancelled('merge', 0)).toContain('None of its weight files are kept.');
    expect(cancelled('merge', null)).toContain('Nothing was written.');
    expect(cancelled('batch', 3)).toContain('No folder was finished. 3 finished weight files are kept: the same export carries on with them.');
    expect(cancelled('batch', 0)).toContain('None of the weight files begun are kept.');
    expect(cancelled('scan', null)).toContain('What was counted stays exact.');
  });
});

describe('a finished export in private storage', () => {
  const stored = [{ name: 'a/model.safetensors', bytes: 3, modified: 5 }, { name: 'a/config.json', bytes: 2, modified: 7 }, { name: 'results.csv', bytes: 1, modified: 6 }];
  const summary = { destination: 'd', privateStorage: true, files: [], stamps: [], shards: [], seconds: 1, backend: { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' }, tensors: 2, verified: 2, checked: { values: 30, tensors: 2 }, rechecked: null, overflow: 0 } as const;
  const told = 'A finished export lies in private storage';

  it.each<[string, typeof MergeBar]>([['the bar', MergeBar], ['the start page', Start]])('is told of on %s, with what it takes', (_, where) => {
    expect(render(createElement(where), { target: { ...target, stored } }).text).toContain(`${told}:| 3 files, 6 B, of `);
    expect(render(createElement(where), {}).text).not.toContain(told);
  });

  it('is not told of twice: not beside its report, nor while a job runs', () => {
    for (const [job, times] of [[{ status: 'finished', summary }, 0], [{ status: 'finished', summary: { ...summary, privateStorage: false } }, 1], [{ status: 'running', kind: 'merge', progress: null }, 0], [{ status: 'counted', tensors: 1, seconds: 1 }, 1]] as [Job, number][]) {
      expect(render(createElement(MergeBar), { target: { ...target, stored }, job }).text.split(told).length - 1).toBe(times);
    }
    // Without a card there is no report: the files stay in reach.
    expect(render(createElement(Start), { target: { ...target, stored }, job: { status: 'finished', summary } }).text).toContain(told);
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
