/** The plan as words, and what still stands before a merge. */
import { formatCount } from '../../analysis/format';
import type { ExportNote } from '../../export/types';
import type { PlanNote } from '../../merge/plan-types';
import type { PlanSummary } from '../../worker/protocol';
import { aboutSeconds, formatBytes, plural, showName } from '../format';

/** `75 tensors, 1 shard, 3.2 MB`; then what it takes: `about 4 min, reads 9.5 MB, memory up to 12.6 MB`. `seconds`: null while unknown. */
export function planWords({ tensors, shards, bytesWritten, bytesRead, peakBytes, rankingReadings }: PlanSummary, seconds: number | null = null, recheck = false): { writes: string; takes: string } {
  const time = seconds === null ? '' : `${aboutSeconds(seconds)}${recheck ? ' and more to compute it again' : ''}, `;
  return {
    writes: `${plural(tensors, 'tensor', formatCount(tensors))}, ${plural(shards.length, 'shard')}, ${formatBytes(bytesWritten)}`,
    takes: `${time}reads ${formatBytes(bytesRead)}${rankingReadings === 0 ? '' : ` (the inputs ${rankingReadings + 1} times: ${rankingReadings} to rank over the whole model, 1 to merge)`}, memory up to ${formatBytes(peakBytes)}`,
  };
}

/** What counting everything takes. Tensors that a merge copies, or compares only, are not read for it: the plan's bytes are the most. */
export function countTitle({ bytesRead, rankingReadings }: Pick<PlanSummary, 'bytesRead' | 'rankingReadings'>): string {
  const times = rankingReadings === 0 ? 'once' : `${rankingReadings + 1} times, ${rankingReadings} of them to rank over the whole model`;
  return `Reads the inputs ${times}, ${formatBytes(bytesRead)} at most in all, and writes nothing: every estimate on the charts becomes exact.`;
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
  'tokens-differ': 'Rows matched by token',
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

/** The dtype changes with every output dtype: nothing to read about. */
const EXPECTED_CHANGES = ['torch_dtype', 'dtype'];

/** What there is to know of the files beside the weights, a sentence each. */
export function exportLines(notes: readonly ExportNote[]): string[] {
  return notes.flatMap((note) => {
    const model = showName(note.model, 40);
    switch (note.kind) {
      case 'config-missing':
        return [`${model} has no config.json: transformers cannot load the export without one. Choose another model for tokenizer and config, or add the file.`];
      case 'config-unreadable':
        return [`config.json of ${model} is no JSON object; it is copied as it is.`];
      case 'config-changed': {
        const { field, from, to } = note.change;
        return EXPECTED_CHANGES.includes(field.split('.').at(-1)!) ? [] : [`config.json: ${field} becomes ${String(to)}${from === undefined ? '' : ` instead of ${showName(String(from), 40)}`}, which is true of the weights.`];
      }
      case 'tokenizer-larger':
        return [`${model} has ${formatCount(note.tokens)} tokens, but only ${formatCount(note.rows)} rows of the embedding are written: further tokens would make the model fail. Keep its rows, or take the tokenizer of the base.`];
      case 'tokenizer-missing':
        return [`${model} has no tokenizer among its files; the export will have none.`];
      case 'custom-code':
        return [`${model} needs Python code of its own (${note.names.map((name) => showName(name, 60)).join(', ')}); it is copied, and runs only with trust_remote_code.`];
    }
  });
}
