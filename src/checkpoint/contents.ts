/** What tells checkpoints of one architecture apart: a hash over a few blocks of their values. */
import { sha256Hex } from '../bytes/sha256';
import type { ByteSource } from '../bytes/source';
import type { Checkpoint } from './types';

/** Blocks of each shard, evenly spread, its first and last bytes among them; a shard that is no larger is hashed whole. */
const BLOCKS = 32;
const BLOCK_BYTES = 4096;

/** As long as what `contentsOf` gives: for a plan that is only shown. */
export const NO_CONTENTS = '0'.repeat(64);

/**
 * Hex SHA-256 over 128 KiB of every shard. Fingerprints are of headers, which all checkpoints made from one base share; a training
 * step changes nearly every value. Not proof against forgery. Rejects as the sources do.
 */
export async function contentsOf({ shards }: Pick<Checkpoint, 'shards'>, open: (shard: number) => Promise<ByteSource>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (const [i, { file }] of shards.entries()) {
    const source = await open(i);
    for (const [begin, end] of blocksOf(file.size)) pieces.push(await source.read(begin, end));
  }
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return sha256Hex(whole);
}

function blocksOf(size: number): readonly (readonly [number, number])[] {
  if (size <= BLOCKS * BLOCK_BYTES) return [[0, size]];
  return Array.from({ length: BLOCKS }, (_, i) => {
    const begin = Math.floor((i * (size - BLOCK_BYTES)) / (BLOCKS - 1));
    return [begin, begin + BLOCK_BYTES] as const;
  });
}
