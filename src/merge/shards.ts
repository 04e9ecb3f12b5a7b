/** Which output tensor goes into which file. */
import { dtypeBits } from '../bytes/dtypes';
import { sha256Hex } from '../bytes/sha256';
import type { Checkpoint } from '../checkpoint/types';
import { encodeIndex } from '../format/safetensors/index-file';
import { layOutShard } from '../format/safetensors/writer';
import type { PlannedTensor } from './decide';
import { PIECES_HELD, WRITE_BYTES } from './io-sizes';
import type { OutputShard } from './plan-types';

/** What transformers looks for beside the shards. */
export const INDEX_FILE = 'model.safetensors.index.json';

export interface OutputLayout {
  readonly shards: readonly OutputShard[];
  /** Null for a single shard. */
  readonly index: string | null;
}

/**
 * Fills shards in the order the tensors have in the base's files, so that reading goes forward, each up to `shardBytes` of
 * payload; a larger tensor has a shard of its own. Inside a shard the writer's order holds. Throws MalformedFileError for what
 * the format cannot hold.
 */
export function layOutShards(base: Checkpoint, tensors: readonly PlannedTensor[], shardBytes: number, metadata: Readonly<Record<string, string>>): OutputLayout {
  const placeInBase = new Map(base.tensors.map(({ name, shard, begin }) => [name, { shard, begin }]));
  const ordered = [...tensors].sort((a, b) => {
    const [x, y] = [placeInBase.get(a.name)!, placeInBase.get(b.name)!];
    return x.shard - y.shard || x.begin - y.begin;
  });
  const filled: PlannedTensor[][] = [[]];
  let held = 0;
  for (const tensor of ordered) {
    const bytes = payloadBytes(tensor);
    if (held > 0 && held + bytes > shardBytes) {
      filled.push([]);
      held = 0;
    }
    filled.at(-1)!.push(tensor);
    held += bytes;
  }
  const of = String(filled.length).padStart(5, '0');
  const nameOf = (i: number) => (filled.length === 1 ? 'model.safetensors' : `model-${String(i + 1).padStart(5, '0')}-of-${of}.safetensors`);
  const shards = filled.map((content, i) => layOutShard(nameOf(i), content, metadata));
  return { shards, index: shards.length === 1 ? null : encodeIndex(shards) };
}

/** Identity of what a plan writes: a hash over every shard's name, header and size, and the index. Plans of one merge have the same. */
export function layoutOf({ shards, index }: OutputLayout): string {
  const lines = shards.map(({ file, header, payloadBytes: bytes }) => `${file} ${bytes} ${sha256Hex(header)}`);
  return sha256Hex(new TextEncoder().encode([...lines, index ?? ''].join('\n')));
}

/** Bytes of the whole file. */
export const shardFileBytes = ({ header, payloadBytes: bytes }: OutputShard): number => header.length + bytes;

/** Bytes of the largest weight file: a writer's pieces are no larger. */
export function largestFile({ shards }: Pick<OutputLayout, 'shards'>): number {
  return Math.max(0, ...shards.map(shardFileBytes));
}

/** Bytes of a writer's pieces, all together. */
export function piecesBytes(layout: Pick<OutputLayout, 'shards'>): number {
  return PIECES_HELD * Math.min(WRITE_BYTES, largestFile(layout));
}

function payloadBytes({ shape, dtype }: PlannedTensor): number {
  return (shape.reduce((product, dimension) => product * dimension, 1) * dtypeBits(dtype)) / 8;
}
