/** Twin of shaders/tally.wgsl: counts the keys of one lane over a chunk for a ranking over several tensors. */
import type { KeyDigit } from '../../merge/tally-types';
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { BLOCK_ACCESS, chunkWork, inputBindings, laneOverrides } from './bindings';

const SHAPE: PassShape = { shader: 'tally', entry: 'tally', storage: { ...BLOCK_ACCESS, 5: 'write' }, work: true };

export async function prepareTally(context: Context, overrides: Overrides, lane: number) {
  const pass = await context.pipelines.overBlocks(SHAPE, laneOverrides(overrides, lane));
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, digit: KeyDigit, tallied: GPUBuffer) => {
    const work = { ...chunkWork(chunk, buffers, [lane]), lane, shift: digit.shift, digitBits: digit.bits };
    recording.dispatchBlocks(pass, { ...inputBindings(chunk, buffers), 5: tallied }, work, chunk);
  };
}
