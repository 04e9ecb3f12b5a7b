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

/** All blocks of a chunk, read of the base and the models of these lanes; of every input where none are given or one is the slack's. */
export function chunkWork({ tables, blockBase }: LoadedChunk, { slotCount }: GroupBuffers, lanes: readonly number[] = [SLACK_LANE]): Work & { readonly endBlock: number } {
  const all = lanes.includes(SLACK_LANE);
  const reads = tables.inputBytes.map((bytes, input) => (all || input === 0 || lanes.includes(input - 1) ? bytes : 0));
  return { slotCount, endBlock: tables.blockCount, total: tables.blockCount, blockBase, reads };
}

/** Keys of a model's lane depend on nothing but its dtype: one pipeline serves every recipe. The slack's depend on them all. */
export function laneOverrides(overrides: Overrides, lane: number): Overrides {
  if (lane === SLACK_LANE) return { ...overrides, SLACK: 1 };
  return { IN_DTYPE: overrides['IN_DTYPE']!, MODELS: 1, TASK_VECTORS: overrides['TASK_VECTORS']!, ELECTS: 1, RESCALES: 0, DRAWS: overrides['DRAWS']!, SLACK: 0 };
}
