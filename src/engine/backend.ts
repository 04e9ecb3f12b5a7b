/** The WebGPU backend: the Backend contract over the passes. Needs nothing but a GPUDevice: page, worker and Node alike. */
import { withHost } from '../merge/on-host';
import type { Backend, BackendInfo } from '../merge/backend';
import { chooseArithmetic } from './arithmetic';
import { Context } from './context';
import { mergeGroup } from './evaluate';
import { adapt } from './passes/adapt';
import { holdGroup } from './held';
import { Pace } from './pace';
import type { AdapterTraits } from './pipelines';
import type { Arithmetic } from './shaders';
import { tallyGroup } from './tally';

/** Larger single bindings have hit driver defects (faults.md, WebGPU facts); larger tensors go in chunks. */
const CHUNK_BYTES = 128 * 2 ** 20;
/** Inputs of one tensor that may stay on the device between its passes. */
const RESIDENT_BYTES = 2 ** 30;

export interface EngineOptions {
  /** For people; see StudioDevice. */
  readonly label?: string;
  readonly software?: boolean;
  /** Use this arithmetic unprobed: for tests of both. */
  readonly arithmetic?: Arithmetic;
  /** Smaller chunks and residency than the device would allow: for tests of streaming. */
  readonly chunkBytes?: number;
  readonly residentBytes?: number;
  /** Blocks of every dispatch instead of what the pace allows: for tests of splitting. */
  readonly dispatchBlocks?: number;
  /** Fewest blocks of a tensor that is selected from a bracket: for tests of small ones. */
  readonly bracketBlocks?: number;
}

export interface WebGpuBackend extends Backend {
  /** Bytes of device buffers alive now, the most there ever were, buffers made; selections from a bracket and how many missed. */
  ledger(): { readonly bytes: number; readonly peakBytes: number; readonly created: number; readonly brackets: { readonly tried: number; readonly missed: number } };
  /**
   * The same passes on the same device, with selection from a bracket however small the tensor: what a self-test on little data
   * has to reach. To be disposed of by itself.
   */
  onTrial(): WebGpuBackend;
}

/** Probes the adapter's arithmetic first; throws GpuUnavailableError `self-test-failed` when nothing on it is exact. */
export async function createWebGpuBackend(device: GPUDevice, options: EngineOptions = {}): Promise<WebGpuBackend> {
  const { arithmetic, exactDivision } = options.arithmetic ? { arithmetic: options.arithmetic, exactDivision: false } : await chooseArithmetic(device);
  return backendOn(device, { arithmetic, exactDivision, software: options.software ?? false }, options);
}

function backendOn(device: GPUDevice, traits: AdapterTraits, options: EngineOptions): WebGpuBackend {
  const { arithmetic } = traits;
  const context = new Context(device, traits, new Pace(options.dispatchBlocks), options.bracketBlocks);
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const info: BackendInfo = { kind: 'webgpu', label: options.label ?? 'WebGPU', software: options.software ?? false, arithmetic };
  const residentBytes = options.residentBytes ?? RESIDENT_BYTES;
  return withHost({
    info,
    chunkBytes: options.chunkBytes ?? Math.min(CHUNK_BYTES, maxStorageBufferBindingSize, maxBufferSize),
    merge: (group, parameters, read, write, mergeOptions) => context.losing(() => mergeGroup(context, group, parameters, read, write, residentBytes, mergeOptions)),
    tally: (group, parameters, tallies, read, { signal } = {}) => context.losing(() => tallyGroup(context, group, parameters, tallies, read, residentBytes, signal)),
    hold: (group, read) => context.losing(() => holdGroup(context, group, read)),
    adapt: (request) => context.losing(() => adapt(context, request)),
    ledger: () => ({ bytes: context.memory.bytes, peakBytes: context.memory.peakBytes, created: context.memory.created, brackets: { ...context.brackets } }),
    onTrial: () => backendOn(device, traits, { ...options, bracketBlocks: 1 }),
    dispose: () => context.dispose(),
  });
}
