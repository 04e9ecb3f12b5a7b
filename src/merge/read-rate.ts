/** How fast the checkpoints of a merge are read here: one piece of the largest file, timed. */
import type { Checkpoint } from '../checkpoint/types';
import { COPY_BYTES } from './io-sizes';
import type { OpenShard } from './reading';

/** Bytes a second of a read as long as those of a merge, from the middle of the largest shard; null without bytes. Rejects as the source does. */
export async function measureReading(checkpoints: readonly Checkpoint[], openShard: OpenShard, now: () => number = () => performance.now()): Promise<number | null> {
  const shards = checkpoints.flatMap(({ id, shards: own }) => own.map(({ file }, shard) => ({ id, shard, size: file.size })));
  const largest = shards.reduce<(typeof shards)[number] | null>((most, one) => (most === null || one.size > most.size ? one : most), null);
  if (largest === null || largest.size === 0) return null;
  const source = await openShard(largest.id, largest.shard);
  const length = Math.min(COPY_BYTES, source.size);
  const begin = Math.floor((source.size - length) / 2);
  const started = now();
  await source.read(begin, begin + length);
  const milliseconds = now() - started;
  return milliseconds > 0 ? (length * 1000) / milliseconds : null;
}
