/** Names from files in tables and reports: inert, legible, and no longer than a line or two (faults.md A 12). */
import { createElement, type ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { readResults } from '../../../src/recipe/results';
import { defaultRecipe } from '../../../src/recipe/presets';
import type { Controller } from '../../../src/state/controller';
import { createStudioStore } from '../../../src/state/store';
import { DataTable } from '../../../src/ui/charts/DataTable';
import { ScoreFigure } from '../../../src/ui/charts/surface/ScoreFigure';
import { ScoreMap } from '../../../src/ui/charts/surface/ScoreMap';
import { scorePlane } from '../../../src/ui/charts/surface/scores';
import { ExportTable } from '../../../src/ui/run/ExportTable';
import { FinishedBatch } from '../../../src/ui/run/FinishedBatch';
import { Verified } from '../../../src/ui/run/Verified';
import { StudioContext } from '../../../src/ui/studio';
import type { BatchSummary, VerifyReport } from '../../../src/worker/protocol';

const MARKUP = '<img src=x onerror=alert(1)>';
const BIDI = 'safe\u202egnp.exe\u2066\u200f\u200b';
const CONTROLS = 'a\u0000b\u001b[31m\u0085\n\tc\u{e0041}';
const LONG = `begin${'x'.repeat(10_000)}end`;
const NAMES = [MARKUP, BIDI, CONTROLS, LONG, '"><script>alert(2)</script>', '__proto__'];
/** What is legible of each. */
const SHOWN = ['&lt;img src=x onerror=alert(1)&gt;', 'safe\\u202egnp.exe\\u2066\\u200f\\u200b', 'a\\u0000b\\u001b[31m\\u0085\\u000a\\u0009c\\ue0041', 'beginxxx', '&quot;&gt;&lt;script&gt;alert(2)&lt;/script&gt;', '__proto__'];
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

const RECIPE = { ...defaultRecipe('base', 'a', ['b']), method: 'ties' as const };
const backend = { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' } as const;

function render(element: ReactElement): string {
  const store = createStudioStore();
  const { decisions } = store.getInitialState();
  // Rendering without a page shows the state a store began with.
  Object.assign(store.getInitialState(), { decisions: { ...decisions, present: { ...decisions.present, roles: { base: 'base', a: 'sft', b: 'ct' }, recipe: RECIPE } } });
  const value = { store, controller: {} as Controller };
  return renderToStaticMarkup(createElement(StudioContext, { value }, element));
}

/** `perName`: the most characters that one name may take, in an element or an attribute. */
function expectInert(markup: string, shown: readonly string[] = SHOWN, perName = 200): void {
  expect(markup).not.toMatch(/<(img|script)\b/i);
  expect(markup).not.toMatch(UNSEEN);
  // An attribute that a name could have opened would stand in a tag.
  expect(markup.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\bonerror=/);
  for (const one of shown) expect(markup).toContain(one);
  expect(markup).not.toContain('x'.repeat(perName));
}

describe('hostile names', () => {
  it('of tensors in a verification: that differ, are missing, foreign, or of another shape', () => {
    const first = { index: 0, expected: '1', actual: MARKUP };
    const verification = { tensors: 9, same: 0, values: 9, differing: 9, differences: NAMES.map((tensor) => ({ tensor, values: 1, differing: 1, first, units: 1 })), missing: NAMES.slice(0, 2), foreign: NAMES.slice(2), reshaped: [{ tensor: BIDI, expected: 'F32 [1]', actual: `F32 [${'1, '.repeat(5000)}1]` }] };
    const report: VerifyReport = { verification, otherSources: [LONG], backend, seconds: 1 } as VerifyReport;
    const markup = render(createElement(Verified, { name: `${MARKUP}${BIDI}`, report, children: null }));
    expectInert(markup);
    expect(markup.length).toBeLessThan(8000);
    expect(render(createElement(Verified, { name: LONG, report, children: null }))).not.toContain('x'.repeat(60));
  });

  it('of files and folders in the tables of an export', () => {
    expectInert(render(createElement(ExportTable, { of: 'File', rows: NAMES.map((name) => ({ name, bytes: 1, sha256: 'ab', download: () => {} })) })));
    const folders = NAMES.map((folder) => ({ folder, files: [{ name: 'model.safetensors', bytes: 1, sha256: 'ab' }], tensors: 1, verified: 1, checked: { values: 1, tensors: 1 }, rechecked: null, overflow: 0 }));
    const summary: BatchSummary = { destination: BIDI, privateStorage: false, folders, stamps: [], table: 'results.csv', missing: NAMES, stopped: { code: 'disk-full', reason: 'disk-full', message: MARKUP, where: { file: LONG } }, seconds: 1, backend };
    expectInert(render(createElement(FinishedBatch, { summary, kept: null, children: null })));
  });

  it('of a table of scores: its file, its columns, its folders', () => {
    const models = [{ name: 'a', symbol: 'sft' }, { name: 'b', symbol: 'ct' }];
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const csv = `folder,k_sft,k_ct,${NAMES.map(quoted).join(',')}\n${NAMES.map((name, i) => `${quoted(name)},0.${i + 1},1,${NAMES.map(() => i).join(',')}`).join('\n')}\n`;
    for (const [i, metric] of NAMES.entries()) {
      const results = readResults(csv, `${metric}.csv`);
      expect([...results.metrics].sort()).toEqual([...NAMES].sort());
      expectInert(render(createElement(ScoreFigure, { results, metric, x: 0, y: 1, names: ['a', 'b'], controls: null })), [SHOWN[i]!], 60);
      const plane = scorePlane(results, metric, RECIPE, models, [0, 1])!;
      expect(plane.cells).toHaveLength(NAMES.length);
      expectInert(render(createElement(ScoreMap, { plane, metric: SHOWN[i]!.slice(0, 60), models: [0, 1], names: ['a', 'b'], symbols: ['sft', 'ct'], present: [0.1, 1], width: 400, height: 300 })), [], 60);
    }
    const table = { columns: [{ label: 'folder', kind: 'text' as const }], rows: ['', ...NAMES].map((text) => [{ kind: 'text' as const, text }]) };
    const markup = render(createElement(DataTable, { table, caption: 'Scores', headings: 1 }));
    expectInert(markup);
    // No name is no empty name here: the column may be missing.
    expect(markup).toContain('<th scope="row"></th>');
  });
});
