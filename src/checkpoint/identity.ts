/** What makes two checkpoints the same or different, without reading their payloads. */
import { sha256Hex } from '../bytes/sha256';

/** What identity depends on of one shard. */
export interface ShardIdentity {
  readonly path: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Hex SHA-256 of the 8 + N header bytes. */
  readonly headerHash: string;
}

/**
 * `fingerprint`: SHA-256 over every shard's name, size and header hash, the same wherever the files lie. `id`: 64 bits of a
 * SHA-256 over path, times and fingerprint. Checkpoints of one training run have equal headers and sizes, hence equal
 * fingerprints; only the id tells them apart.
 */
export function identify(shards: readonly ShardIdentity[]): { fingerprint: string; id: string } {
  const hash = (value: unknown) => sha256Hex(new TextEncoder().encode(JSON.stringify(value)));
  const fingerprint = hash(shards.map(({ name, size, headerHash }) => [name, size, headerHash]));
  const id = hash([fingerprint, shards.map(({ path, modified }) => [path, modified])]);
  return { fingerprint, id: id.slice(0, 16) };
}
