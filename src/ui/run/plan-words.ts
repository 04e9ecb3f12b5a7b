/** The plan as words, and what still stands before a merge. */
import { formatCount } from '../../analysis/format';
import type { PlanNote } from '../../merge/plan-types';
import type { PlanSummary } from '../../worker/protocol';
import { formatBytes, plural } from '../format';

/** `75 tensors, 1 shard, 3.2 MB`; then what it takes: `reads 9.5 MB, 12.6 MB of memory`. */
export function planWords({ tensors, shards, bytesWritten, bytesRead, peakBytes }: PlanSummary): { writes: string; takes: string } {
  return {
    writes: `${plural(tensors, 'tensor', formatCount(tensors))}, ${plural(shards.length, 'shard')}, ${formatBytes(bytesWritten)}`,
    takes: `reads ${formatBytes(bytesRead)}, at most ${formatBytes(peakBytes)} of memory`,
  };
}

const NOTE_WORDS: Readonly<Record<PlanNote['kind'], string>> = {
  'k-raised-to-one': 'One value kept where the density asks for none',
  'f64-written-as-f32': 'F64 written as F32',
  'rows-copied': 'Further rows copied',
  'rows-cut': 'Cut to the rows of the base',
  'kept-base': 'Kept from the base',
  taken: 'Taken whole from one model',
  quantised: 'Quantised',
  'missing-in-model': 'Missing in a model, merged without it',
  'only-in-model': 'Left out, since the base lacks them',
  'tied-head': 'Embedding in the place of a tied head',
  'rows-differ': 'Another number of rows in a model',
  'shape-differs': 'Merged without the model whose shape differs',
  'dtype-unsupported': 'Of a dtype that cannot be merged',
  'integer-differs': 'Whole numbers kept from one checkpoint',
  'integer-copied': 'Whole numbers copied from the base',
};

/** What the reader of the plan must know, one line a kind: `Kept from the base: 8 tensors`. */
export function noteLines(notes: readonly PlanNote[]): { readonly kind: PlanNote['kind']; readonly line: string; readonly tensors: readonly string[] }[] {
  const byKind = new Map<PlanNote['kind'], Set<string>>();
  for (const { kind, tensor } of notes) {
    const tensors = byKind.get(kind) ?? new Set();
    byKind.set(kind, tensors.add(tensor));
  }
  return [...byKind].map(([kind, tensors]) => ({ kind, line: `${NOTE_WORDS[kind]}: ${plural(tensors.size, 'tensor', formatCount(tensors.size))}`, tensors: [...tensors] }));
}
