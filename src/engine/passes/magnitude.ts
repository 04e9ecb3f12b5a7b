/** Twin of shaders/magnitude.wgsl: what the slack could take from the models that are not preferred. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { chunkWork, BLOCK_ACCESS, inputBindings } from './bindings';

const SHAPE: PassShape = { shader: 'magnitude', entry: 'magnitude', storage: { ...BLOCK_ACCESS, 5: 'write' }, work: true };

/** `into`: one f32 a thread of each block. */
export async function prepareMagnitude(context: Context, overrides: Overrides) {
  const pass = await context.pipelines.overBlocks(SHAPE, overrides);
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, prefer: number, into: GPUBuffer) => {
    const work = { ...chunkWork(chunk, buffers), lane: prefer };
    recording.dispatchBlocks(pass, { ...inputBindings(chunk, buffers), 5: into }, work, chunk);
  };
}
