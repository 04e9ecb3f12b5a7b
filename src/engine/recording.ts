/** Dispatches on their way to the queue, in order, in as few submissions as the pace allows. */
import { WORK } from './layout';
import type { Pace } from './pace';
import type { PassShape, Pipeline } from './pipelines';

/** Workgroups in x: the limit every adapter has. More go to y (faults.md row 26). */
const MAX_ROW = 65535;
/** Dynamic uniform offsets are multiples of this on every adapter. */
const WORK_STRIDE = 256;
/** Dispatches one submission can hold. */
const MAX_DISPATCHES = 512;
export const WORK_BYTES = MAX_DISPATCHES * WORK_STRIDE;

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

export class Recording {
  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;
  private readonly words = new Uint32Array(WORK_BYTES / 4);
  private dispatches = 0;
  /** Of the submission being recorded. */
  private blocks = new Map<string, number>();

  constructor(
    private readonly device: GPUDevice,
    /** WORK_BYTES, written before each submission. */
    private readonly work: GPUBuffer,
    private readonly pace: Pace,
    private readonly label: string,
  ) {}

  /** Records a pass over blocks [0, work.endBlock), one workgroup each, in dispatches as large as the pace allows. */
  dispatchBlocks(shape: PassShape, pipeline: Pipeline, bindings: Bindings, work: Work & { readonly endBlock: number }): void {
    const group = this.bind(shape, pipeline, bindings);
    // Alone the first time, so that its time can be told.
    const alone = !this.pace.isMeasured(pipeline.label);
    if (alone && this.blocks.size > 0) this.submit();
    for (let first = 0; first < work.endBlock; ) {
      const end = Math.min(first + this.pace.blocks(pipeline.label), work.endBlock);
      this.put(pipeline, group, { ...work, firstBlock: first, endBlock: end }, end - first);
      this.blocks.set(pipeline.label, (this.blocks.get(pipeline.label) ?? 0) + end - first);
      if (this.pace.isFull(this.blocks)) this.submit();
      first = end;
    }
    if (alone) this.submit();
  }

  /** Records `groups` workgroups of a pass whose work is small, whatever the adapter. */
  dispatch(shape: PassShape, pipeline: Pipeline, bindings: Bindings, work: Work, groups: number): void {
    this.put(pipeline, this.bind(shape, pipeline, bindings), work, groups);
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, size: number): void {
    this.betweenPasses().copyBufferToBuffer(from, fromOffset, to, toOffset, size);
  }

  /** Zeroes bytes [offset, offset + size). */
  clear(buffer: GPUBuffer, offset: number, size: number): void {
    this.betweenPasses().clearBuffer(buffer, offset, size);
  }

  /** Sends what was recorded since the last submission, if anything. */
  submit(): void {
    if (!this.encoder) return;
    const { queue } = this.device;
    const commands = this.betweenPasses().finish();
    if (this.dispatches > 0) queue.writeBuffer(this.work, 0, this.words, 0, (this.dispatches * WORK_STRIDE) / 4);
    const sent = performance.now();
    queue.submit([commands]);
    const { blocks, pace } = this;
    if (blocks.size > 0) void queue.onSubmittedWorkDone().then(() => pace.measured(blocks, sent, performance.now()), () => undefined);
    this.encoder = null;
    this.dispatches = 0;
    this.blocks = new Map();
  }

  private bind(shape: PassShape, pipeline: Pipeline, bindings: Bindings): GPUBindGroup {
    const entries = Object.keys(shape.storage).map((binding) => ({ binding: Number(binding), resource: resource(bindings[Number(binding)]!) }));
    return this.device.createBindGroup({
      label: shape.shader,
      layout: pipeline.layout,
      entries: [...entries, { binding: 8, resource: { buffer: this.work, size: WORK.size } }],
    });
  }

  private put(pipeline: Pipeline, group: GPUBindGroup, work: Work, groups: number): void {
    if (groups === 0) return;
    if (this.dispatches === MAX_DISPATCHES) this.submit();
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
    this.encoder ??= this.device.createCommandEncoder({ label: this.label });
    this.pass ??= this.encoder.beginComputePass({ label: this.label });
    this.pass.setPipeline(pipeline.pipeline);
    this.pass.setBindGroup(0, group, [this.dispatches * WORK_STRIDE]);
    this.pass.dispatchWorkgroups(row, Math.ceil(groups / row));
    this.dispatches++;
  }

  private betweenPasses(): GPUCommandEncoder {
    this.pass?.end();
    this.pass = null;
    return (this.encoder ??= this.device.createCommandEncoder({ label: this.label }));
  }
}

function resource(buffer: GPUBuffer | GPUBufferBinding): GPUBufferBinding {
  return 'buffer' in buffer ? buffer : { buffer };
}
