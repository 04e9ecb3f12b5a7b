/** Twin of shaders/locate.wgsl: the index after the last tie kept, for every slot. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { chunkWork, INPUT_ACCESS, inputBindings, laneOverrides } from './bindings';

const STORAGE = { ...INPUT_ACCESS, 5: 'write', 6: 'write' } as const;
const BLOCK_SHAPE: PassShape = { shader: 'locate', entry: 'find_block', storage: STORAGE, work: true };
const INDEX_SHAPE: PassShape = { shader: 'locate', entry: 'find_index', storage: STORAGE, work: true };

/** `chunk` for `findBlock` is any loaded chunk: its inputs are bound but not read. */
export async function prepareLocate(context: Context, overrides: Overrides, lane: number) {
  const [blockPipeline, indexPipeline] = await Promise.all([
    context.pipelines.get(BLOCK_SHAPE, laneOverrides(overrides, 0)),
    context.pipelines.get(INDEX_SHAPE, laneOverrides(overrides, lane)),
  ]);
  const bindings = (chunk: LoadedChunk, buffers: GroupBuffers) => ({
    ...inputBindings(chunk, buffers),
    5: buffers.tieCounts(lane),
    6: buffers.found,
  });
  return {
    findBlock(recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers): void {
      const work = { ...chunkWork(chunk, buffers), lane };
      recording.dispatch(BLOCK_SHAPE, blockPipeline, bindings(chunk, buffers), work, buffers.slotCount);
    },
    findIndex(recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers): void {
      const work = { ...chunkWork(chunk, buffers), lane };
      recording.dispatch(INDEX_SHAPE, indexPipeline, bindings(chunk, buffers), work, buffers.slotCount);
    },
  };
}
