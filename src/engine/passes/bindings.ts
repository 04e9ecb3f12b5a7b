/** Which buffer goes to which binding: the same numbers in every shader. */
import type { Bindings, Work } from '../context';
import type { LoadedChunk } from '../chunk';
import type { GroupBuffers } from '../group-buffers';

/** Bindings 0 to 4: a chunk's inputs and tables, the slots and the selections so far. */
export function inputBindings(chunk: LoadedChunk, buffers: GroupBuffers): Bindings {
  return { 0: chunk.arena, 1: chunk.blocks, 2: chunk.segments, 3: buffers.slots, 4: buffers.state };
}
export const INPUT_ACCESS = { 0: 'read', 1: 'read', 2: 'read', 3: 'read', 4: 'read' } as const;

/** All blocks of a chunk. */
export function chunkWork(chunk: LoadedChunk, buffers: GroupBuffers): Work & { readonly endBlock: number } {
  return { slotCount: buffers.slotCount, endBlock: chunk.tables.blockCount, blockBase: chunk.blockBase };
}
