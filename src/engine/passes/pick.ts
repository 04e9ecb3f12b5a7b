/** Twin of shaders/pick.wgsl: finds the digit of the last key that still fits, for every slot. */
import type { Digit } from '../digits';
import type { Context } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';

const SHAPE: PassShape = { shader: 'pick', entry: 'pick', storage: { 3: 'read', 5: 'write', 6: 'write' }, work: true };

export async function preparePick(context: Context, lane: number) {
  const pipeline = await context.pipelines.get(SHAPE, {});
  return (recording: Recording, buffers: GroupBuffers, digit: Digit) => {
    const { slotCount } = buffers;
    const bindings = { 3: buffers.slots, 5: buffers.histograms(lane), 6: buffers.state };
    recording.dispatch(SHAPE, pipeline, bindings, { slotCount, lane, shift: digit.shift, digitBits: digit.bits }, slotCount);
  };
}
