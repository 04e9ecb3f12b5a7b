/** Dispatches on their way to the queue, in order, in as few submissions as the pace allows. */
import { WORK } from './layout';
import type { Ledger } from './ledger';
import type { Offer, Pace } from './pace';
import { type BlockPass, LIST, type PassShape, type Pipeline } from './pipelines';

/** Workgroups in x: the limit every adapter has. More go to y (faults.md row 26). */
const MAX_ROW = 65535;
/** Dynamic uniform offsets are multiples of this on every adapter. */
const WORK_STRIDE = 256;
/** Dispatches one submission can hold. */
const MAX_DISPATCHES = 512;
/** Indirect dispatches that a repair is cut into at most. */
export const MAX_SLICES = 256;
/** Arguments of one indirect dispatch. */
export const SLICE_BYTES = 12;
export const WORK_BYTES = MAX_DISPATCHES * WORK_STRIDE;

export interface Work {
  lane?: number;
  shift?: number;
  digitBits?: number;
  firstBlock?: number;
  endBlock?: number;
  blockBase?: number;
  slotCount: number;
  /** Blocks of the chunk. */
  total?: number;
  /** Workgroups in x; as many as there are, up to the limit, where not given. */
  row?: number;
  /** Bytes of each input that a pass over blocks reads, for the ledger. */
  reads?: readonly number[];
}
/** What a pass over a chunk's blocks is repaired with; see LoadedChunk. */
export interface Repairable {
  readonly blocks: GPUBuffer;
  readonly notes: GPUBuffer;
  readonly repairs: GPUBuffer;
  readonly slices: GPUBuffer;
}
export type Bindings = Readonly<Record<number, GPUBuffer | GPUBufferBinding>>;

export class Recording {
  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;
  private readonly words = new Uint32Array(WORK_BYTES / 4);
  private dispatches = 0;
  /** Of the submission being recorded. */
  private blocks = new Map<string, number>();
  private offers: Offer[] = [];
  private whenSent: (() => void)[] = [];

  constructor(
    private readonly device: GPUDevice,
    /** WORK_BYTES, written before each submission. */
    private readonly work: GPUBuffer,
    /** COUNTERS u32: blocks that each repair took, ever. */
    private readonly counters: GPUBuffer,
    private readonly pace: Pace,
    private readonly ledger: Ledger,
    private readonly label: string,
  ) {}

  /**
   * Records a pass over blocks [0, work.endBlock), one workgroup each, in dispatches as large as the pace allows, and the repair of
   * those that float units could get wrong. How many these are only the device knows.
   */
  dispatchBlocks({ shape, main, repair }: BlockPass, bindings: Bindings, work: Work & { readonly endBlock: number }, chunk: Repairable | null): void {
    const group = this.bind(shape, main, bindings);
    this.ledger.countReads(work.reads);
    // Alone the first time, so that its time can be told.
    const alone = !this.pace.isMeasured(main.label);
    if (alone && this.blocks.size > 0) this.submit();
    for (let first = 0; first < work.endBlock; ) {
      const end = Math.min(first + this.pace.blocks(main.label), work.endBlock);
      this.put(main, group, { ...work, firstBlock: first, endBlock: end }, end - first);
      this.blocks.set(main.label, (this.blocks.get(main.label) ?? 0) + end - first);
      if (this.pace.isFull(this.blocks)) this.submit();
      first = end;
    }
    if (alone) this.submit();
    if (!repair || !chunk || work.endBlock === 0) return;
    this.repair(main.label, repair, { ...bindings, 1: chunk.repairs }, shape, work, chunk);
  }

  private repair(main: string, { pipeline, list }: NonNullable<BlockPass['repair']>, bindings: Bindings, shape: PassShape, work: Work & { readonly endBlock: number }, chunk: Repairable): void {
    const { label } = pipeline;
    const slice = Math.min(MAX_ROW, Math.max(this.pace.repairBlocks(label, main), Math.ceil(work.endBlock / MAX_SLICES)));
    const offer = this.pace.offer(label, work.endBlock);
    const { counter, alone, expected } = offer;
    this.dispatch(LIST, list, { 1: chunk.blocks, 3: this.counters, 5: chunk.repairs, 6: chunk.slices, 7: chunk.notes }, { ...work, lane: counter, row: slice }, 1);
    this.offers.push(offer);
    if (alone) this.submit();
    const repairing = this.bind(shape, pipeline, bindings);
    for (let first = 0; first < work.endBlock; first += slice) {
      const some = { ...work, firstBlock: first, endBlock: work.endBlock, row: slice };
      this.put(pipeline, repairing, some, { buffer: chunk.slices, offset: (first / slice) * SLICE_BYTES });
      const foreseen = Math.min(slice, expected - first);
      if (alone || foreseen <= 0) continue;
      this.blocks.set(label, (this.blocks.get(label) ?? 0) + foreseen);
      if (this.pace.isFull(this.blocks)) this.submit();
    }
    if (alone) this.submit(offer);
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

  /** Calls `act` once what is recorded now is sent. */
  onceSent(act: () => void): void {
    this.whenSent.push(act);
  }

  /** Sends what was recorded since the last submission, if anything: all of it the repair of an offer, where one is given. */
  submit(repair?: Offer): void {
    if (!this.encoder) return;
    const { queue } = this.device;
    const commands = this.betweenPasses().finish();
    if (this.dispatches > 0) queue.writeBuffer(this.work, 0, this.words, 0, (this.dispatches * WORK_STRIDE) / 4);
    const sent = performance.now();
    queue.submit([commands]);
    this.ledger.submissions++;
    const { blocks, pace } = this;
    pace.sent(this.offers);
    for (const act of this.whenSent.splice(0)) act();
    // Of copies too: the time of what is sent after them begins when they are done.
    void queue.onSubmittedWorkDone().then(() => (repair ? pace.repaired(repair, sent, performance.now()) : pace.measured(blocks, sent, performance.now())), () => undefined);
    this.encoder = null;
    this.dispatches = 0;
    this.blocks = new Map();
    this.offers = [];
  }

  private bind(shape: PassShape, pipeline: Pipeline, bindings: Bindings): GPUBindGroup {
    const entries = Object.keys(shape.storage).map((binding) => ({ binding: Number(binding), resource: resource(bindings[Number(binding)]!) }));
    return this.device.createBindGroup({
      label: shape.shader,
      layout: pipeline.layout,
      entries: [...entries, { binding: 8, resource: { buffer: this.work, size: WORK.size } }],
    });
  }

  private put(pipeline: Pipeline, group: GPUBindGroup, work: Work, groups: number | { readonly buffer: GPUBuffer; readonly offset: number }): void {
    if (groups === 0) return;
    if (this.dispatches === MAX_DISPATCHES) this.submit();
    const row = work.row ?? (typeof groups === 'number' ? Math.min(groups, MAX_ROW) : MAX_ROW);
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
    put(WORK.total, work.total ?? 0);
    put(WORK.zero, 0);
    this.encoder ??= this.device.createCommandEncoder({ label: this.label });
    this.pass ??= this.encoder.beginComputePass({ label: this.label });
    this.pass.setPipeline(pipeline.pipeline);
    this.pass.setBindGroup(0, group, [this.dispatches * WORK_STRIDE]);
    if (typeof groups === 'number') this.pass.dispatchWorkgroups(Math.min(groups, MAX_ROW), Math.ceil(groups / MAX_ROW));
    else this.pass.dispatchWorkgroupsIndirect(groups.buffer, groups.offset);
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
