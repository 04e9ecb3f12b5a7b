/** What is known of a weight file once it is made: for the journal, and for the summary. */
import type { BackendInfo, SlotResult } from './backend';
import type { FinishedShard } from './journal-types';
import type { ShardOrigin } from './run-types';
import type { Checked } from './spot-check';
import type { ShardWriter } from './writing';

export class ShardRecord {
  private readonly figures: [string, SlotResult][] = [];
  private readonly madeBy: BackendInfo[] = [];
  private overflow = 0;
  private checked: Checked = { values: 0, tensors: 0 };

  constructor(private readonly file: string) {}

  /** A tensor that was merged into it. */
  merged(tensor: string, result: SlotResult): void {
    this.figures.push([tensor, result]);
    this.overflow += result.figures.overflow;
  }
  /** Finite values that became infinite while they were copied. */
  overflowed(values: number): void {
    this.overflow += values;
  }
  /** A group of it, all of whose tensors are `merged`. */
  group(madeBy: readonly BackendInfo[], checked: Checked): void {
    for (const one of madeBy) if (!this.madeBy.some((known) => isOne(known, one))) this.madeBy.push(one);
    this.checked = sumOf(this.checked, checked);
  }
  /** All of its bytes are with the sink. */
  finished({ position: bytes, pieceBytes, digests }: ShardWriter): FinishedShard {
    const { file, madeBy, figures, overflow, checked } = this;
    return { file, bytes, pieceBytes, digests: [...digests], madeBy, figures, overflow, checked };
  }
}

/** The sums over all shards, and where each comes from. `kept`: files that an earlier run finished. */
export function sumShards(shards: readonly FinishedShard[], kept: { has(file: string): boolean }): { readonly checked: Checked; readonly overflow: number; readonly shards: readonly ShardOrigin[] } {
  return {
    checked: shards.reduce((sum, shard) => sumOf(sum, shard.checked), { values: 0, tensors: 0 }),
    overflow: shards.reduce((sum, { overflow }) => sum + overflow, 0),
    shards: shards.map(({ file, madeBy }) => ({ file, madeBy, isKept: kept.has(file) })),
  };
}

function isOne(a: BackendInfo, b: BackendInfo): boolean {
  return a.kind === b.kind && a.label === b.label;
}

function sumOf(a: Checked, b: Checked): Checked {
  return { values: a.values + b.values, tensors: a.tensors + b.tensors };
}
