/** Twin of shaders/listed.wgsl and settle.wgsl: selection among listed keys in place of every key, for one lane of one slot. */
import type { Context } from '../context';
import type { Digit } from '../digits';
import type { GroupBuffers } from '../group-buffers';
import { BLOCK } from '../layout';
import type { PassShape } from '../pipelines';
import type { Recording, Work } from '../recording';
import { prepareFindBlock } from './locate';

const LISTED = { 0: 'read', 4: 'read', 5: 'write', 6: 'read' } as const;
const DIGITS: PassShape = { shader: 'listed', entry: 'digits', storage: LISTED, work: true };
const EQUALS: PassShape = { shader: 'listed', entry: 'equals', storage: LISTED, work: true };
const MARK: PassShape = { shader: 'listed', entry: 'mark', storage: LISTED, work: true };
const SETTLE: PassShape = { shader: 'settle', entry: 'settle', storage: { 6: 'write', 7: 'read' }, work: true };
const CUT: PassShape = { shader: 'settle', entry: 'cut', storage: { 5: 'write', 6: 'write' }, work: true };

/** Of one lane. */
export interface ListBuffers {
  readonly bracket: GPUBufferBinding;
  /** (key, flat index), as many as there is room for. */
  readonly entries: GPUBufferBinding;
  readonly capacity: number;
}

export async function prepareListed(context: Context, lane: number) {
  const { pipelines } = context;
  const [settle, digits, equals, mark, cut, findBlock] = await Promise.all([
    pipelines.get(SETTLE, {}),
    pipelines.atOnce(DIGITS, {}),
    pipelines.atOnce(EQUALS, {}),
    pipelines.atOnce(MARK, {}),
    pipelines.get(CUT, {}),
    prepareFindBlock(context, lane),
  ]);
  const work: Work = { slotCount: 1, lane };
  // How many are listed only the device knows: of the room for them.
  const over = (mine: ListBuffers) => ({ ...work, endBlock: Math.ceil(mine.capacity / BLOCK) });
  const bindings = (buffers: GroupBuffers, mine: ListBuffers, counts: GPUBufferBinding) => ({ 0: mine.entries, 4: buffers.state, 5: counts, 6: mine.bracket });
  return {
    /** After all chunks were gathered, before any digit. */
    settle(recording: Recording, buffers: GroupBuffers, mine: ListBuffers): void {
      recording.dispatch(SETTLE, settle, { 6: buffers.state, 7: mine.bracket }, work, 1);
    },
    digits(recording: Recording, buffers: GroupBuffers, mine: ListBuffers, { shift, bits }: Digit): void {
      recording.dispatchBlocks(digits, bindings(buffers, mine, buffers.histograms(lane)), { ...over(mine), shift, digitBits: bits }, null);
    },
    /** After all digits: the index after the last tie kept. The tie counts are zero before. */
    cut(recording: Recording, buffers: GroupBuffers, mine: ListBuffers): void {
      recording.dispatchBlocks(equals, bindings(buffers, mine, buffers.tieCounts(lane)), over(mine), null);
      findBlock(recording, buffers, buffers.state);
      recording.dispatchBlocks(mark, bindings(buffers, mine, buffers.histograms(lane)), over(mine), null);
      recording.dispatch(CUT, cut, { 5: buffers.histograms(lane), 6: buffers.state }, work, 1);
    },
  };
}
