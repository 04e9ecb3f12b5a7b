/** Twin of shaders/locate.wgsl and of its first half in settle.wgsl: the index after the last tie kept, for every slot. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { chunkWork, INPUT_ACCESS, inputBindings, laneOverrides } from './bindings';

const BLOCK_SHAPE: PassShape = { shader: 'settle', entry: 'find_block', storage: { 3: 'read', 5: 'write', 6: 'write' }, work: true };
const INDEX_SHAPE: PassShape = { shader: 'locate', entry: 'find_index', storage: { ...INPUT_ACCESS, 6: 'write' }, work: true };

/** Finds the block of each slot's last tie kept, once the ties of all chunks are counted. `found`: the selections of all lanes, updated. */
export async function prepareFindBlock(context: Context, lane: number) {
  const pipeline = await context.pipelines.get(BLOCK_SHAPE, {});
  return (recording: Recording, buffers: GroupBuffers, found: GPUBuffer): void => {
    const { slotCount } = buffers;
    recording.dispatch(BLOCK_SHAPE, pipeline, { 3: buffers.slots, 5: buffers.tieCounts(lane), 6: found }, { slotCount, lane }, slotCount);
  };
}

/** Finds the place in that block, where the chunk holds it. `buffers.found`: a copy of the selections of all lanes, updated. */
export async function prepareFindIndex(context: Context, overrides: Overrides, lane: number) {
  const pipeline = await context.pipelines.get(INDEX_SHAPE, laneOverrides(overrides, lane));
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers): void => {
    const work = { ...chunkWork(chunk, buffers, [lane]), lane };
    recording.dispatch(INDEX_SHAPE, pipeline, { ...inputBindings(chunk, buffers), 6: buffers.found }, work, buffers.slotCount);
  };
}
