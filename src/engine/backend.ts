/** The WebGPU backend: the Backend contract over the passes. Needs nothing but a GPUDevice: page, worker and Node alike. */
import { OutOfMemoryError } from '../bytes/errors';
import type { Watchdog } from '../bytes/watchdog';
import type { AdaptRequest } from '../merge/adapting';
import { READ_AHEAD_BYTES } from '../merge/io-sizes';
import { withHost } from '../merge/on-host';
import type { Backend, BackendInfo, MergeOptions } from '../merge/backend';
import { chooseArithmetic } from './arithmetic';
import { deviceBudget } from './budget';
import { hostBytesOf, spareBytesOf } from './claims';
import { Context } from './context';
import { adapt } from './passes/adapt';
import { holdGroup } from './held';
import { Pace } from './pace';
import type { AdapterTraits } from './pipelines';
import { type PlacedOptions, Room } from './room';
import type { Arithmetic } from './shaders';
import { TOGETHER } from './turns';

export interface EngineOptions {
  /** For people; see StudioDevice. */
  readonly label?: string;
  readonly software?: boolean;
  /** GiB of the machine, as `navigator` tells it. */
  readonly deviceMemory?: number | undefined;
  /** Bytes that a merge may read ahead: a third of it may lie idle in the buffers that inputs are read into. */
  readonly readAheadBytes?: number;
  /** Forms the values of an adapter that the device has no room for, to the same bits. Absent: that fails. */
  readonly formOnHost?: (request: AdaptRequest) => Promise<Uint8Array<ArrayBuffer>>;
  /** Finds maps that never settle; default one over real time. */
  readonly watchdog?: Watchdog;
  /** Use this arithmetic unprobed: for tests of both. */
  readonly arithmetic?: Arithmetic;
  /** Smaller chunks and residency than the device would allow: for tests of streaming. */
  readonly chunkBytes?: number;
  readonly residentBytes?: number;
  /** Less for all device buffers together: for tests of groups that do not fit side by side. */
  readonly bufferBytes?: number;
  /** Blocks of every dispatch instead of what the pace allows: for tests of splitting. */
  readonly dispatchBlocks?: number;
  /** Bytes of a staging buffer: for tests of uploads in pieces. */
  readonly uploadBytes?: number;
  /** Fewest blocks of a tensor that is selected from a bracket: for tests of small ones. */
  readonly bracketBlocks?: number;
  /** Bytes that the lists of a bracket may take: for tests of short ones. */
  readonly listBytes?: number;
}

export interface EngineLedger {
  /** What all device buffers together may take, and one chunk at present: halved where the device had no room. */
  readonly budgetBytes: number;
  readonly chunkBytes: number;
  /** Bytes of device buffers alive now, and the most there ever were. */
  readonly bytes: number;
  readonly peakBytes: number;
  /** Buffers made, and those in use now by some group. */
  readonly created: number;
  readonly lent: number;
  /** Of passes and their results; and copies from staging buffers, each submitted by itself. */
  readonly submissions: number;
  readonly uploads: number;
  /** Selections from a bracket, and how many missed. */
  readonly brackets: { readonly tried: number; readonly missed: number };
  /** Bytes of inputs that passes over elements read from device memory: base, then the models; and blocks that repairs read again. */
  readonly inputBytes: readonly number[];
  readonly repairedBlocks: number;
}

export interface WebGpuBackend extends Backend {
  ledger(): EngineLedger;
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
  const { label = 'WebGPU', software = false, deviceMemory, dispatchBlocks, bracketBlocks, uploadBytes, watchdog, readAheadBytes = READ_AHEAD_BYTES } = options;
  const budget = deviceBudget(device.limits, { software, deviceMemory });
  const { chunkBytes = budget.chunkBytes, residentBytes = budget.residentBytes, bufferBytes = budget.bytes, listBytes = budget.chunkBytes } = options;
  const spareBytes = spareBytesOf(readAheadBytes);
  // What a software adapter computes with is what would upload the next, and its buffers are the host's memory (docs/engine.md).
  const concurrency = software ? 1 : TOGETHER;
  const context = new Context(device, traits, { pace: new Pace(dispatchBlocks), bracketBlocks, uploadBytes, bufferBytes, spareBytes, listBytes, ...(watchdog ? { watchdog } : {}) });
  const room = new Room(context, { bytes: bufferBytes, chunkBytes, residentBytes });
  const info: BackendInfo = { kind: 'webgpu', label, software, arithmetic: traits.arithmetic };
  const passes = withHost({
    info,
    chunkBytes,
    concurrency,
    buffers: context.inputs,
    heldBytes: (group) => hostBytesOf(group, { spareBytes, concurrency }),
    merge: (group, parameters, read, write, mergeOptions) => context.losing(() => room.merge(group, parameters, read, write, mergeOptions)),
    tally: (group, parameters, tallies, read, mergeOptions) => context.losing(() => room.tally(group, parameters, tallies, read, mergeOptions)),
    hold: (group, read) => context.losing(() => holdGroup(context, group, read)),
    adapt: (request, signal) => context.call(signal, () => context.losing(() => adapt(context, request))).catch(orOnHost(request, options.formOnHost)),
    ledger: () => {
      const { memory: { bytes, peakBytes, created, lentCount }, ledger: { submissions, uploads, brackets, inputBytes, repairedBlocks } } = context;
      return { budgetBytes: bufferBytes, chunkBytes: room.chunkBytes, bytes, peakBytes, created, lent: lentCount - context.uploads.count, submissions, uploads, brackets: { ...brackets }, inputBytes: [...inputBytes], repairedBlocks };
    },
    onTrial: () => backendOn(device, traits, { ...options, bracketBlocks: 1 }),
    dispose: () => context.dispose(),
  });
  /** Their order is that of the calls: what is decided on the host may be decided of a later group first. */
  const inOrder = <Result>(mergeOptions: MergeOptions | undefined, act: (own: PlacedOptions) => Promise<Result>) =>
    room.inOrder(async (place) => {
      await context.answering();
      return context.call(mergeOptions?.signal, () => act({ ...mergeOptions, place }));
    });
  return {
    ...passes,
    merge: (group, parameters, read, write, mergeOptions) => inOrder(mergeOptions, (own) => passes.merge(group, parameters, read, write, own)),
    tally: (group, parameters, tallies, read, mergeOptions) => inOrder(mergeOptions, (own) => passes.tally(group, parameters, tallies, read, own)),
    hold: async (group, read) => {
      await context.answering();
      return passes.hold(group, read);
    },
  };
}

/** What an adapter is formed for holds the device, or is copied beside what does: neither can be asked to make room. */
function orOnHost(request: AdaptRequest, form: EngineOptions['formOnHost']) {
  return (error: unknown): Promise<Uint8Array<ArrayBuffer>> => {
    if (!form || !(error instanceof OutOfMemoryError) || error.reason !== 'device-memory') throw error;
    return form(request);
  };
}
