/** Twin of shaders/merge.wgsl: trim, elect, slack, disjoint merge and counts over a chunk, fused. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { chunkWork, BLOCK_ACCESS, inputBindings } from './bindings';

const SHAPE: PassShape = { shader: 'merge', entry: 'merge', storage: { ...BLOCK_ACCESS, 5: 'write', 6: 'write' }, work: true };

export interface MergeBuffers {
  /** Output words of the chunk; any buffer when nothing is written. */
  readonly merged: GPUBuffer;
  readonly counts: GPUBuffer;
}

export async function prepareMerge(context: Context, overrides: Overrides, options: { readonly reserves: boolean; readonly writes: boolean }) {
  const pass = await context.pipelines.overBlocks(SHAPE, { ...overrides, RESERVES: options.reserves ? 1 : 0, WRITES: options.writes ? 1 : 0 });
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, into: MergeBuffers) => {
    const work = chunkWork(chunk, buffers);
    const bindings = { ...inputBindings(chunk, buffers), 5: into.merged, 6: into.counts };
    recording.dispatchBlocks(pass, bindings, work, chunk);
  };
}
