/** What every pass of one device shares, and the recording of dispatches into one submission. */
import { DeviceLostError, StudioError } from '../bytes/errors';
import { WORK } from './layout';
import { Memory } from './memory';
import type { AdapterTraits, Overrides, PassShape, Pipeline } from './pipelines';
import { Pipelines } from './pipelines';

/** Workgroups in x: the limit every adapter has. More go to y (faults.md row 26). */
const MAX_ROW = 65535;
/** Dynamic uniform offsets are multiples of this on every adapter. */
const WORK_STRIDE = 256;
/** Dispatches one submission can hold; a group of 8 models needs under 150. */
const MAX_DISPATCHES = 512;

export interface Work {
  lane?: number;
  shift?: number;
  digitBits?: number;
  firstBlock?: number;
  endBlock?: number;
  blockBase?: number;
  slotCount: number;
}
export type Bindings = Readonly<Record<number, GPUBuffer | GPUBufferBinding>>;

export class Context {
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  private readonly work: GPUBuffer;
  private lost: GPUDeviceLostInfo | null = null;

  constructor(
    readonly device: GPUDevice,
    traits: AdapterTraits,
  ) {
    this.memory = new Memory(device);
    this.pipelines = Pipelines.of(device, traits);
    this.work = device.createBuffer({
      label: 'work',
      size: MAX_DISPATCHES * WORK_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    void device.lost.then((info) => {
      this.lost = info;
    });
  }

  record(label: string): Recording {
    return new Recording(this, this.work, label);
  }

  /**
   * Bytes [0, size) of each source, once all work submitted so far is done. Only a successful map proves that a device
   * was not lost (faults.md, WebGPU facts). The arrays are the caller's.
   */
  async readBack(sources: readonly { readonly buffer: GPUBuffer; readonly size: number }[]): Promise<Uint8Array<ArrayBuffer>[]> {
    const offsets: number[] = [];
    let total = 0;
    for (const { size } of sources) {
      offsets.push(total);
      total += Math.ceil(size / 16) * 16;
    }
    const staging = await this.memory.borrow('readback', Math.max(total, 16), GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    try {
      const encoder = this.device.createCommandEncoder({ label: 'readback' });
      sources.forEach(({ buffer, size }, i) => {
        if (size > 0) encoder.copyBufferToBuffer(buffer, 0, staging, offsets[i]!, Math.ceil(size / 4) * 4);
      });
      this.device.queue.submit([encoder.finish()]);
      await this.mapped(staging.mapAsync(GPUMapMode.READ, 0, Math.max(total, 16)));
      const all = staging.getMappedRange(0, Math.max(total, 16));
      const copies = sources.map(({ size }, i) => new Uint8Array(all.slice(offsets[i], offsets[i]! + size)));
      staging.unmap();
      return copies;
    } finally {
      this.memory.release(staging);
    }
  }

  private async mapped(map: Promise<undefined>): Promise<void> {
    try {
      await map;
    } catch (error) {
      // The map may reject before `lost` resolves.
      const info = this.lost ?? (await Promise.race([this.device.lost, new Promise<null>((done) => setTimeout(done, 200, null))]));
      if (info) throw new DeviceLostError(info.reason || 'unknown', `the GPU device was lost: ${info.message}`);
      throw new StudioError('internal', 'map-failed', `reading back from the GPU failed: ${String(error)}`, {}, { cause: error });
    }
  }

  dispose(): void {
    this.memory.dispose();
    this.work.destroy();
  }
}

/** Dispatches on their way into one submission, in order. */
export class Recording {
  private readonly encoder: GPUCommandEncoder;
  private readonly words = new Uint32Array((MAX_DISPATCHES * WORK_STRIDE) / 4);
  private dispatches = 0;
  private pass: GPUComputePassEncoder | null = null;

  constructor(
    private readonly context: Context,
    private readonly work: GPUBuffer,
    private readonly label: string,
  ) {
    this.encoder = context.device.createCommandEncoder({ label });
  }

  /** Records `groups` workgroups of a pass. */
  dispatch(shape: PassShape, pipeline: Pipeline, bindings: Bindings, work: Work, groups: number): void {
    if (groups === 0) return;
    if (this.dispatches === MAX_DISPATCHES) throw new StudioError('internal', 'too-many-dispatches', `${this.label}: over ${MAX_DISPATCHES}`);
    const row = Math.min(groups, MAX_ROW);
    const at = (this.dispatches * WORK_STRIDE) / 4;
    const put = (offset: number, value: number) => (this.words[at + offset / 4] = value);
    put(WORK.lane, work.lane ?? 0);
    put(WORK.shift, work.shift ?? 0);
    put(WORK.digit_bits, work.digitBits ?? 0);
    put(WORK.first_block, work.firstBlock ?? 0);
    put(WORK.end_block, work.endBlock ?? 0);
    put(WORK.row, row);
    put(WORK.block_base, work.blockBase ?? 0);
    put(WORK.slot_count, work.slotCount);
    this.pass ??= this.encoder.beginComputePass({ label: this.label });
    const entries = Object.keys(shape.storage).map((binding) => ({ binding: Number(binding), resource: resource(bindings[Number(binding)]!) }));
    const group = this.context.device.createBindGroup({
      label: shape.shader,
      layout: pipeline.layout,
      entries: [...entries, { binding: 8, resource: { buffer: this.work, size: WORK.size } }],
    });
    this.pass.setPipeline(pipeline.pipeline);
    this.pass.setBindGroup(0, group, [this.dispatches * WORK_STRIDE]);
    this.pass.dispatchWorkgroups(row, Math.ceil(groups / row));
    this.dispatches++;
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, size: number): void {
    this.endPass();
    this.encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, size);
  }

  /** Zeroes bytes [offset, offset + size). */
  clear(buffer: GPUBuffer, offset: number, size: number): void {
    this.endPass();
    this.encoder.clearBuffer(buffer, offset, size);
  }

  submit(): void {
    this.endPass();
    this.context.device.queue.writeBuffer(this.work, 0, this.words, 0, (this.dispatches * WORK_STRIDE) / 4);
    this.context.device.queue.submit([this.encoder.finish()]);
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = null;
  }
}

function resource(buffer: GPUBuffer | GPUBufferBinding): GPUBufferBinding {
  return 'buffer' in buffer ? buffer : { buffer };
}

export type { Overrides };
