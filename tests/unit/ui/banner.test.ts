/** What the page says of the backend before anybody asks (issue 4, calibration). */
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import type { Controller } from '../../../src/state/controller';
import { createStudioStore } from '../../../src/state/store';
import { Banner } from '../../../src/ui/shell/Banner';
import { StudioContext } from '../../../src/ui/studio';
import type { BackendReport } from '../../../src/worker/protocol';

const CPU = { kind: 'cpu', label: 'CPU, 2 workers', software: false, arithmetic: 'native' } as const;
const SPEEDS = [
  { kind: 'cpu', label: CPU.label, parametersPerSecond: 60e6 },
  { kind: 'webgpu', label: 'Card', parametersPerSecond: 40e6 },
] as const;

function bannerOf(report: Pick<BackendReport, 'why' | 'speeds'>): string {
  const store = createStudioStore();
  const { backend } = store.getInitialState();
  // Rendering without a page shows the state a store began with.
  Object.assign(store.getInitialState(), { backend: { ...backend, report: { info: CPU, gpuProblem: null, selfTest: [], ...report } } });
  return renderToStaticMarkup(createElement(StudioContext, { value: { store, controller: {} as Controller } }, createElement(Banner)));
}

describe('the banner on the CPU', () => {
  it('does not call it the slower one where it was measured to be the faster', () => {
    const banner = bannerOf({ why: 'faster', speeds: SPEEDS });
    expect(banner).toContain('Automatic chose the CPU by a short merge on both: 1.5 times as fast as WebGPU. The results are the same either way.');
    expect(banner).not.toContain('slower');
  });

  it('says that it was chosen where it was', () => {
    expect(bannerOf({ why: 'asked', speeds: [] })).toContain('You chose the CPU.');
  });
});
