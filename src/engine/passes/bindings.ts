/** Which buffer goes to which binding: the same numbers in every shader. */
import type { Overrides } from '../context';
import type { Bindings, Work } from '../recording';
import type { LoadedChunk } from '../chunk';
import type { GroupBuffers } from '../group-buffers';
import { SLACK_LANE } from '../layout';

/** Bindings 0 to 4 and 7: a chunk's inputs and tables, the slots and the selections so far, the chunk's notes. */
export function inputBindings(chunk: LoadedChunk, buffers: GroupBuffers): Bindings {
  return { 0: chunk.arena, 1: chunk.blocks, 2: chunk.segments, 3: buffers.slots, 4: buffers.state, 7: chunk.notes };
}
export const INPUT_ACCESS = { 0: 'read', 1: 'read', 2: 'read', 3: 'read', 4: 'read' } as const;

/** Of a pass over blocks. */
export const BLOCK_ACCESS = { ...INPUT_ACCESS, 7: 'write' } as const;

/** All blocks of a chunk. */
export function chunkWork(chunk: LoadedChunk, buffers: GroupBuffers): Work & { readonly endBlock: number } {
  return { slotCount: buffers.slotCount, endBlock: chunk.tables.blockCount, total: chunk.tables.blockCount, blockBase: chunk.blockBase };
}

/** Keys of a model's lane depend on nothing but its dtype: one pipeline serves every recipe. The slack's depend on them all. */
export function laneOverrides(overrides: Overrides, lane: number): Overrides {
  if (lane === SLACK_LANE) return { ...overrides, SLACK: 1 };
  return { IN_DTYPE: overrides['IN_DTYPE']!, MODELS: 1, TASK_VECTORS: overrides['TASK_VECTORS']!, ELECTS: 1, RESCALES: 0, DRAWS: overrides['DRAWS']!, SLACK: 0 };
}
