/** One chunk of a group on the device: its input bytes in the arena and its tables. */
import { throwIfAborted } from '../merge/abort';
import type { Group, ReadSegment } from '../merge/backend';
import type { Context } from './context';
import { THREADS } from './layout';
import { MAX_SLICES, SLICE_BYTES } from './recording';
import type { ChunkTables } from './tables';
import { chunkTables } from './tables';
import { INDIRECT, STORAGE } from './usage';

export interface LoadedChunk {
  readonly index: number;
  readonly tables: ChunkTables;
  /** Blocks of the group before this chunk. */
  readonly blockBase: number;
  readonly arena: GPUBuffer;
  readonly segments: GPUBuffer;
  readonly blocks: GPUBuffer;
  /** One flag a block, 0 between passes: what float units left out; behind them one f32 a thread of each block. */
  readonly notes: GPUBuffer;
  readonly noteBytes: number;
  /** The blocks to repair, as in `blocks`, and the arguments of the indirect dispatches over them. */
  readonly repairs: GPUBuffer;
  readonly slices: GPUBuffer;
  release(): void;
}

/** Reads a chunk's segments, all inputs at once, and uploads them. */
export async function loadChunk(
  context: Context,
  group: Group,
  index: number,
  blockBase: number,
  read: ReadSegment,
  signal: AbortSignal | undefined,
): Promise<LoadedChunk> {
  const chunk = group.chunks[index]!;
  const tables = chunkTables(group, chunk);
  const loan = context.memory.loan();
  const { queue } = context.device;
  try {
    const arena = await loan.borrow('arena', Math.max(4 * tables.arenaWords, 16), STORAGE);
    // All of them to their end: a read that is late must not be written into an arena that was given back.
    const reads = await Promise.allSettled(
      chunk.flatMap((segment, s) =>
        tables.offsets[s]!.map(async (offset, input) => {
          if (offset < 0) return;
          const bytes = await read(segment, input);
          throwIfAborted(signal);
          await context.uploads.write(arena, 4 * offset, bytes);
          context.inputs.giveBack(bytes);
        }),
      ),
    );
    const failed = reads.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    const { blockCount } = tables;
    const noteBytes = 4 * (1 + THREADS) * blockCount;
    const segments = await loan.borrow('segments', tables.segments.byteLength, STORAGE);
    const blocks = await loan.borrow('blocks', tables.blocks.byteLength, STORAGE);
    const notes = await loan.borrow('notes', noteBytes, STORAGE);
    const repairs = await loan.borrow('repairs', tables.blocks.byteLength, STORAGE);
    const slices = await loan.borrow('slices', SLICE_BYTES * MAX_SLICES, INDIRECT);
    queue.writeBuffer(segments, 0, tables.segments);
    queue.writeBuffer(blocks, 0, tables.blocks);
    queue.writeBuffer(notes, 0, new Uint32Array(blockCount));
    return {
      index,
      tables,
      blockBase,
      arena,
      segments,
      blocks,
      notes,
      noteBytes,
      repairs,
      slices,
      release: () => loan.release(),
    };
  } catch (error) {
    loan.release();
    throw error;
  }
}
