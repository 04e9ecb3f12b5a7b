/** The contents of the sources of a merge, for its provenance. */
import { contentsOf } from '../checkpoint/contents';
import type { Checkpoint } from '../checkpoint/types';
import type { OpenShard } from '../merge/reading';

/** Hashes by checkpoint id; see `contentsOf`. */
export async function contentsOfAll(checkpoints: readonly Checkpoint[], openShard: OpenShard): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const checkpoint of checkpoints) found.set(checkpoint.id, await contentsOf(checkpoint, (shard) => openShard(checkpoint.id, shard)));
  return found;
}
