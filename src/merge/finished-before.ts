/** Folders of a batch that an earlier attempt finished, and what the runs of one wave keep together. */
import { CancelledError } from '../bytes/errors';
import type { WithHashing } from '../bytes/hashing';
import { JOURNAL_FILE } from '../bytes/source';
import type { ByteSource, Destination } from '../bytes/source';
import type { BatchItem } from './batch-progress';
import { COPY_BYTES } from './io-sizes';
import type { FinishedFile, RunResult } from './run-types';
import { INDEX_FILE, shardFileBytes } from './shards';
import { hashPieces, readPiece } from './verifying';

/**
 * What lies in `folder` when it is the finished export of `item`: no journal, every file there, weights of the plan's sizes with the
 * plan's headers, which hold the recipe and its sources, and the plan's index. Null where it is not. All of it is read once, for the
 * hashes. Rejects as the destination does.
 */
export async function finishedBefore({ plan, extras }: BatchItem, folder: Destination, hashed: WithHashing): Promise<RunResult | null> {
  const present = await folder.list();
  const names = [...plan.shards.map(({ file }) => file), ...extras.map(({ name }) => name), ...(plan.index === null ? [] : [INDEX_FILE])];
  if (present.includes(JOURNAL_FILE) || !names.every((name) => present.includes(name))) return null;
  const expected = new Map(plan.shards.map((shard) => [shard.file, { size: shardFileBytes(shard), begins: shard.header }]));
  if (plan.index !== null) {
    const begins = new TextEncoder().encode(plan.index);
    expected.set(INDEX_FILE, { size: begins.length, begins });
  }
  const files: FinishedFile[] = [];
  for (const name of names) {
    const source = await folder.open(name);
    const wanted = expected.get(name);
    if (wanted && !(source.size === wanted.size && (await begins(source, wanted.begins)))) return null;
    files.push({ name, bytes: source.size, sha256: await hashed((hashing) => hashPieces(source, COPY_BYTES, readPiece, hashing.file())) });
  }
  const shards = plan.shards.map(({ file }) => ({ file, madeBy: [], isKept: true }));
  return { files, shards, figures: new Map(), tensors: 0, verified: 0, checked: { values: 0, tensors: 0 }, rechecked: null, overflow: 0, seconds: 0 };
}

async function begins(source: ByteSource, bytes: Uint8Array): Promise<boolean> {
  const there = await source.read(0, bytes.length);
  return there.every((byte, i) => byte === bytes[i]);
}

/** Runs that go side by side, group by group, keep the same shards: those that all of them can. */
export class Agreement {
  private readonly given: (readonly string[])[] = [];
  private settle!: (files: readonly string[]) => void;
  private readonly settled: Promise<readonly string[]>;

  /** Of `runs`, each of which asks once; once the signal is aborted it rejects with CancelledError. */
  constructor(
    private readonly runs: number,
    signal: AbortSignal,
  ) {
    this.settled = new Promise((resolve, reject) => {
      this.settle = resolve;
      signal.addEventListener('abort', () => reject(new CancelledError()), { once: true });
    });
    // Runs that keep nothing never ask.
    this.settled.catch(() => {});
  }

  readonly agree = (files: readonly string[]): Promise<readonly string[]> => {
    this.given.push(files);
    if (this.given.length === this.runs) this.settle(files.filter((file) => this.given.every((own) => own.includes(file))));
    return this.settled;
  };
}
