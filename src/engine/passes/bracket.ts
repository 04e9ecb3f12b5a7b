/** Twin of shaders/frame.wgsl, gather.wgsl and listed.wgsl: selection from a bracket in place of every key, for one lane. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import { DIGITS, type Digit } from '../digits';
import type { GroupBuffers } from '../group-buffers';
import { BLOCK } from '../layout';
import type { PassShape } from '../pipelines';
import type { Recording } from '../recording';
import { BLOCK_ACCESS, chunkWork, inputBindings, laneOverrides } from './bindings';
import { prepareHistogram } from './histogram';

const FRAMING = { 5: 'write', 6: 'write', 7: 'write' } as const;
const LISTED = { 0: 'read', 4: 'read', 5: 'write', 6: 'read' } as const;
const FRAME: PassShape = { shader: 'frame', entry: 'frame', storage: FRAMING, work: true };
const SETTLE: PassShape = { shader: 'frame', entry: 'settle', storage: { 6: 'write', 7: 'write' }, work: true };
const GATHER: PassShape = { shader: 'gather', entry: 'gather', storage: { ...BLOCK_ACCESS, 5: 'write', 6: 'write' }, work: true };
const DIGIT: PassShape = { shader: 'listed', entry: 'digits', storage: LISTED, work: true };
const EQUAL: PassShape = { shader: 'listed', entry: 'equals', storage: LISTED, work: true };
/** Workgroups over a list: enough to fill a GPU. */
const MAX_LIST_GROUPS = 256;

/** Of one lane of a group of one slot. */
export interface BracketBuffers {
  readonly bracket: GPUBufferBinding;
  /** (key, block), as many as there is room for. */
  readonly entries: GPUBufferBinding;
  readonly capacity: number;
  /** Blocks of the first chunk that stand for all, as a block table. */
  readonly sample: GPUBuffer;
  readonly sampleBlocks: number;
  /** Elements that the lane ranks. */
  readonly elements: number;
}

export async function prepareBracket(context: Context, overrides: Overrides, lane: number) {
  const [histogram, frame, settle, gather, digits, equals] = await Promise.all([
    prepareHistogram(context, overrides, lane),
    context.pipelines.get(FRAME, {}),
    context.pipelines.get(SETTLE, {}),
    context.pipelines.overBlocks(GATHER, laneOverrides(overrides, lane)),
    context.pipelines.get(DIGIT, {}),
    context.pipelines.get(EQUAL, {}),
  ]);
  const groupsOf = (capacity: number) => Math.max(1, Math.min(MAX_LIST_GROUPS, Math.ceil(capacity / BLOCK)));
  const list = (recording: Recording, shape: PassShape, buffers: GroupBuffers, mine: BracketBuffers, counts: GPUBufferBinding, digit?: Digit) => {
    const row = groupsOf(mine.capacity);
    const bindings = { 0: mine.entries, 4: buffers.state, 5: counts, 6: mine.bracket };
    const place = digit ? { shift: digit.shift, digitBits: digit.bits } : {};
    recording.dispatch(shape, shape === DIGIT ? digits : equals, bindings, { slotCount: 1, lane, row, ...place }, row);
  };
  return {
    /** From the first chunk. */
    frame(recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, mine: BracketBuffers): void {
      histogram(recording, chunk, buffers, DIGITS[0]!, { table: mine.sample, blocks: mine.sampleBlocks });
      const bindings = { 5: buffers.histograms(lane), 6: buffers.state, 7: mine.bracket };
      recording.dispatch(FRAME, frame, bindings, { slotCount: 1, lane, total: mine.elements }, 1);
    },
    gather(recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, mine: BracketBuffers): void {
      const bindings = { ...inputBindings(chunk, buffers), 5: mine.entries, 6: mine.bracket };
      recording.dispatchBlocks(gather, bindings, { ...chunkWork(chunk, buffers), lane }, chunk);
    },
    /** After all chunks were gathered, before any digit. */
    settle(recording: Recording, buffers: GroupBuffers, mine: BracketBuffers): void {
      recording.dispatch(SETTLE, settle, { 6: buffers.state, 7: mine.bracket }, { slotCount: 1, lane }, 1);
    },
    digits: (recording: Recording, buffers: GroupBuffers, mine: BracketBuffers, digit: Digit) => list(recording, DIGIT, buffers, mine, buffers.histograms(lane), digit),
    equals: (recording: Recording, buffers: GroupBuffers, mine: BracketBuffers) => list(recording, EQUAL, buffers, mine, buffers.tieCounts(lane)),
  };
}
