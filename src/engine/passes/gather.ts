/** Twin of shaders/gather.wgsl: one reading of a chunk for the selections of several models. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import type { Recording } from '../recording';
import { BLOCK_ACCESS, chunkWork, inputBindings } from './bindings';

const SHAPE: PassShape = { shader: 'gather', entry: 'gather', storage: { ...BLOCK_ACCESS, 5: 'write', 6: 'write' }, work: true };

/** Of all lanes, one after the other. */
export interface GatherBuffers {
  readonly brackets: GPUBufferBinding;
  readonly entries: GPUBufferBinding;
}

export async function prepareGather(context: Context, overrides: Overrides, lanes: readonly number[]) {
  // Keys depend on nothing but dtypes and on which models there are.
  const { IN_DTYPE, MODELS, TASK_VECTORS, DRAWS } = overrides;
  const pass = await context.pipelines.overBlocks(SHAPE, { IN_DTYPE: IN_DTYPE!, MODELS: MODELS!, TASK_VECTORS: TASK_VECTORS!, DRAWS: DRAWS!, ELECTS: 1, RESCALES: 0 });
  const mask = lanes.reduce((sum, lane) => sum | (1 << lane), 0);
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, into: GatherBuffers) => {
    const work = { ...chunkWork(chunk, buffers, lanes), lane: mask };
    recording.dispatchBlocks(pass, { ...inputBindings(chunk, buffers), 5: into.entries, 6: into.brackets }, work, chunk);
  };
}
