/** Twin of shaders/histogram.wgsl: counts one digit of one lane's keys over a chunk. */
import type { LoadedChunk } from '../chunk';
import type { Digit } from '../digits';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { chunkWork, BLOCK_ACCESS, inputBindings, laneOverrides } from './bindings';

const SHAPE: PassShape = { shader: 'histogram', entry: 'histogram', storage: { ...BLOCK_ACCESS, 5: 'write' }, work: true };

export async function prepareHistogram(context: Context, overrides: Overrides, lane: number) {
  const pass = await context.pipelines.overBlocks(SHAPE, laneOverrides(overrides, lane));
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, digit: Digit) => {
    const work = { ...chunkWork(chunk, buffers, [lane]), lane, shift: digit.shift, digitBits: digit.bits };
    recording.dispatchBlocks(pass, { ...inputBindings(chunk, buffers), 5: buffers.histograms(lane) }, work, chunk);
  };
}
