/** The panel says why a backend computes, with the figures it was chosen by (issue 4, calibration). */
import { describe, expect, it } from 'vitest';
import type { BackendReason, BackendReport } from '../../../src/worker/protocol';
import { reasonText, speedText } from '../../../src/ui/messages/backend';

const gpu = { kind: 'webgpu', label: 'Card', parametersPerSecond: 512.34e6 } as const;
const cpu = { kind: 'cpu', label: 'CPU, 2 workers', parametersPerSecond: 60.06e6 } as const;
const report = (why: BackendReason, kind: 'webgpu' | 'cpu', speeds: BackendReport['speeds'] = [gpu, cpu]) => ({ why, speeds, info: { kind, label: 'x', software: false, arithmetic: 'native' } as const });

describe('why a backend computes', () => {
  it('names the ratio of what was measured, either way round', () => {
    expect(reasonText(report('faster', 'webgpu'))).toBe('Automatic chose WebGPU by a short merge on both: 8.5 times as fast as the CPU.');
    const slow = { ...gpu, parametersPerSecond: 30.03e6 };
    expect(reasonText(report('faster', 'cpu', [cpu, slow]))).toBe('Automatic chose the CPU by a short merge on both: 2.0 times as fast as WebGPU.');
  });
  it('says so where nothing was compared', () => {
    expect(reasonText(report('alone', 'cpu', []))).toContain('without measuring');
    expect(reasonText(report('unmeasured', 'webgpu', [cpu]))).toContain('could not be measured');
    expect(reasonText(report('asked', 'webgpu'))).toBe('You chose WebGPU.');
    expect(reasonText(report('instead', 'cpu'))).toBe('The graphics device failed; the CPU took over.');
    expect(reasonText(report('instead', 'webgpu'))).toBe('The graphics device failed; a new one took over.');
  });
  it('writes speeds in millions, with a decimal below a hundred', () => {
    expect([speedText(gpu), speedText(cpu)]).toEqual(['512', '60.1']);
  });
});
