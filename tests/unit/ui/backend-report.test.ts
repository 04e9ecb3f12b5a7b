/** Rule: issue 6.5 - the report of the self-test can be copied: adapter, limits, features, findings, browser, version. */
import { expect, it } from 'vitest';
import { backendReport } from '../../../src/ui/messages/backend-report';
import type { BackendReport } from '../../../src/worker/protocol';

const REPORT: BackendReport = {
  info: { kind: 'webgpu', label: 'Card X', software: false, arithmetic: 'guarded' },
  gpuProblem: null,
  selfTest: [{ pass: 'trim', ok: true, detail: 'TIES by radix' }, { pass: 'adapter', ok: false, detail: '1 instead of 2' }],
  adapter: { vendor: 'acme', architecture: 'x1', device: '', description: 'Card "X"\n', features: ['shader-f16', 'subgroups'], limits: { maxBufferSize: 1024, maxBindGroups: 4 } },
  speeds: [{ kind: 'webgpu', label: 'Card X', parametersPerSecond: 250e6 }],
  why: 'asked',
};

it('says what computes, what was tested and how it went, and what the adapter says of itself', () => {
  expect(backendReport({ application: 'Studio 1.2', browser: 'Browser 3', report: REPORT, problem: null }).split('\n')).toEqual([
    'Studio 1.2',
    'Browser 3',
    'In use: webgpu, Card X, arithmetic guarded. You chose WebGPU.',
    'Measured: webgpu, Card X, 250 million parameters a second',
    '',
    'Self-test',
    '  right trim: TIES by radix',
    '  WRONG adapter: 1 instead of 2',
    '',
    'Adapter',
    '  vendor "acme", architecture "x1", device "", description "Card \\"X\\"\\n"',
    '  features: shader-f16, subgroups',
    '  maxBufferSize 1024',
    '  maxBindGroups 4',
    '',
  ]);
});

it('says why an adapter was refused, also where nothing else started', () => {
  const problem = { code: 'gpu-unavailable' as const, reason: 'self-test-failed', message: 'Card X: trim: 3 instead of 4', where: { names: ['trim'] } };
  const { adapter: _, ...cpu } = REPORT;
  const text = backendReport({ application: 'a', browser: 'b', report: { ...cpu, info: { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' }, selfTest: [], speeds: [], gpuProblem: problem, why: 'alone' }, problem: null });
  expect(text).toContain('gpu-unavailable self-test-failed: Card X: trim: 3 instead of 4');
  expect(text).not.toContain('Adapter');
  expect(backendReport({ application: 'a', browser: 'b', report: null, problem })).toBe('a\nb\ngpu-unavailable self-test-failed: Card X: trim: 3 instead of 4\n');
});
