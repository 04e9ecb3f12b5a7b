/** What a group takes at most while it is merged: of device memory, and on the host. */
import type { Group } from '../merge/backend';
import { chunkInputBytes, chunkOutputBytes } from '../merge/steps';
import { wantedRoom } from './bracket';
import { BINS, BLOCK_WORDS, COUNT, LANES, SEGMENT, SELECTION, SLOT, SUM_WORDS, THREADS } from './layout';
import { lentSize, mostLent } from './memory';
import { blockCount } from './tables';
import { PIECE_BYTES, RING } from './uploads';

interface Allowed {
  /** Of inputs that stay on the device. */
  readonly residentBytes: number;
  /** Of the lists of a bracket. */
  readonly listBytes: number;
}

/** Bytes of all buffers that `mergeGroup` or `tallyGroup` has lent at once, at most. */
export function claimOf(group: Group, { residentBytes, listBytes }: Allowed): number {
  const { chunks, slots } = group;
  const models = slots[0]!.inputs.length - 1;
  const blocks = chunks.map(blockCount);
  const arenas = chunks.map((chunk) => chunkInputBytes(group, chunk));
  const tables = chunks.map((chunk, c) => mostLent(SEGMENT.size * chunk.length) + 2 * mostLent(4 * BLOCK_WORDS * blocks[c]!) + mostLent(4 * (1 + THREADS) * blocks[c]!));
  // As in residency.ts: those that fit stay, of the others one is there.
  let [pinned, stay, passes] = [0, 0, 0];
  for (const [c, bytes] of arenas.entries()) {
    if (pinned + lentSize(bytes) > residentBytes) passes = Math.max(passes, tables[c]!);
    else [pinned, stay] = [pinned + lentSize(bytes), stay + tables[c]!];
  }
  const lent = arenas.map(mostLent);
  const inputs = Math.min(sum(lent), residentBytes + Math.max(...lent));
  const counts = Math.max(...chunks.map(({ length }) => 4 * COUNT.words * length));
  const merged = Math.max(...chunks.map((chunk) => chunkOutputBytes(group, chunk)));
  const notes = 4 * (1 + THREADS) * Math.max(...blocks);
  const states = LANES * SELECTION.size * slots.length;
  const results = mostLent(merged) + mostLent(counts) + Math.min(2, chunks.length) * mostLent(merged + counts + notes + states + 4 * BINS);
  const selecting = 2 * mostLent(states) + mostLent(SLOT.size * slots.length) + mostLent((models + 1) * 4 * BINS * slots.length) + mostLent((models + 1) * (4 * sum(blocks) + 256));
  const sums = models * mostLent(4 * SUM_WORDS * slots.length) + mostLent(models * 4 * SUM_WORDS * slots.length);
  const lists = slots.length === 1 ? mostLent(Math.min(listBytes, wantedRoom(slots[0]!.elements, models))) : 0;
  return inputs + stay + passes + results + selecting + sums + lists;
}

/** Of what is read ahead: about what is read at once (merge/chunk-reading), and what the CPU backend keeps. */
const SPARE = 1 / 3;

/** Bytes of buffers for inputs that may lie idle. */
export function spareBytesOf(readAheadBytes: number): number {
  return Math.ceil(SPARE * readAheadBytes);
}

/**
 * Bytes that a group has of the host's memory at once: its results as they are mapped and as they are handed on, the staging ring, and
 * its share of the `spareBytes` that may lie idle; a merge gives the backend `concurrency` groups at a time.
 */
export function hostBytesOf(group: Group, { spareBytes, concurrency }: { readonly spareBytes: number; readonly concurrency: number }): number {
  const merged = Math.max(...group.chunks.map((chunk) => chunkOutputBytes(group, chunk)));
  return RING * PIECE_BYTES + Math.ceil(spareBytes / concurrency) + 2 * Math.min(2, group.chunks.length) * merged;
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
