/** Twin of shaders/ties.wgsl: counts the keys equal to the threshold, block by block. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { chunkWork, BLOCK_ACCESS, inputBindings, laneOverrides } from './bindings';

const SHAPE: PassShape = { shader: 'ties', entry: 'ties', storage: { ...BLOCK_ACCESS, 5: 'write' }, work: true };

export async function prepareTies(context: Context, overrides: Overrides, lane: number) {
  const pass = await context.pipelines.overBlocks(SHAPE, laneOverrides(overrides, lane));
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers) => {
    const work = { ...chunkWork(chunk, buffers, [lane]), lane };
    recording.dispatchBlocks(pass, { ...inputBindings(chunk, buffers), 5: buffers.tieCounts(lane) }, work, chunk);
  };
}
