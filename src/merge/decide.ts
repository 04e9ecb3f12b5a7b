/** What becomes of each tensor of the base: merged, copied, grown by rows, or refused (merging.md sections 8 to 10). */
import { IncompatibleCheckpointsError } from '../bytes/errors';
import { isMergedDtype } from '../bytes/dtypes';
import type { Dtype, MergedDtype } from '../bytes/dtypes';
import { isVocabulary } from '../checkpoint/places';
import type { Checkpoint, FitIssue, RowRun, TensorEntry } from '../checkpoint/types';
import { needsBase } from '../recipe/methods';
import { ruleFor } from '../recipe/resolve';
import type { ElementRange, Slot } from './backend';
import { MAX_SLOT_ELEMENTS } from './chunks';
import { isLeftOut, outputDtype, rowRange, rowsOf, valueDtype, wholeRange } from './participants';
import type { Participants } from './participants';
import type { CopyPart, InputRange, IntegerComparison } from './plan-types';

/** A tensor of the output, decided. */
export interface PlannedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The rows that are merged; null when nothing is. */
  readonly merged: { readonly slot: Slot; readonly inputs: readonly (InputRange | null)[] } | null;
  /** What follows them, or all of it. */
  readonly copies: readonly CopyPart[];
  /** Of an integer tensor copied from the base because nobody chose. */
  readonly comparison: IntegerComparison | null;
}
export type Decision = { readonly tensor: PlannedTensor } | { readonly refused: readonly FitIssue[] };

/**
 * Decides one tensor of the base. `issues` are the fit issues of this tensor. Throws IncompatibleCheckpointsError
 * `tensor-too-large` for a tensor that would be merged and has more values than a slot can.
 */
export function decideTensor(participants: Participants, tensor: TensorEntry, issues: readonly FitIssue[]): Decision {
  const { recipe, choices, base, checkpoint } = participants;
  const rule = ruleFor(recipe, tensor.name);
  if (rule?.action === 'keep-base') return { tensor: composed(participants, tensor, { owner: base, entry: tensor }) };
  if (rule?.action === 'take') return take(participants, tensor, checkpoint(rule.from!));
  const chosen = Object.hasOwn(choices.integerFrom, tensor.name) ? choices.integerFrom[tensor.name]! : null;
  if (!isMergedDtype(tensor.dtype) && chosen !== null) return take(participants, tensor, checkpoint(chosen));
  const refused = issues.filter(({ severity, model }) => severity === 'refusal' && !isLeftOut(choices, tensor.name, model));
  if (refused.length > 0) return { refused };
  if (!isMergedDtype(tensor.dtype)) return { tensor: compared(participants, tensor) };
  return { tensor: merge(participants, tensor) };
}

/** An entry and whose it is. */
interface Owned {
  readonly owner: Checkpoint;
  readonly entry: TensorEntry;
}

function merge(participants: Participants, tensor: TensorEntry): PlannedTensor {
  const { recipe, choices, base, models, entryOf, rowsIn } = participants;
  const { rows, columns } = rowsOf(tensor);
  const takingPart = models.map((owner) => {
    const entry = isLeftOut(choices, tensor.name, owner.id) ? null : entryOf(tensor, owner);
    // K of no rows at all would be raised to 1.
    return entry && entry.elements > 0 ? entry : null;
  });
  const matched = takingPart.map((entry, i) => (entry ? rowsIn(tensor, models[i]!, entry) : null));
  const ownRows = takingPart.map((entry, i) => (entry ? (matched[i]?.reduce((sum, { count }) => sum + count, 0) ?? Math.min(rows, rowsOf(entry).rows)) : 0));
  // Rows after the last that a model has are the base's own: they count in no figure (merging.md section 10).
  const mergedRows = Math.max(...ownRows.map((own, i) => (matched[i] ? endOf(matched[i]) : own)));
  const elements = mergedRows * columns;
  if (elements === 0) return composed(participants, tensor, { owner: base, entry: tensor });
  if (elements > MAX_SLOT_ELEMENTS) {
    const where = { tensor: tensor.name, expected: MAX_SLOT_ELEMENTS, actual: elements };
    throw new IncompatibleCheckpointsError('tensor-too-large', `${tensor.name}: ${elements} values, at most ${MAX_SLOT_ELEMENTS}`, where);
  }
  // A method that sums values reads no base: one that is to be averaged is listed as a model.
  const baseDtype = !needsBase(recipe.method) ? null : (tensor.dtype as MergedDtype);
  const slot: Slot = {
    name: tensor.name,
    elements,
    inputs: [baseDtype, ...takingPart.map((entry, i) => (entry && ownRows[i]! > 0 ? (valueDtype(entry) as MergedDtype) : null))],
    modelElements: ownRows.map((own) => own * columns),
    outDtype: outputDtype(recipe, tensor.dtype)!,
    ...(tensor.shape.length > 1 ? { row: tensor.shape.at(-1)! } : {}),
    ...(matched.some((runs) => runs !== null) ? { absent: matched.map((runs) => runs && gapsOf(runs, mergedRows, columns)) } : {}),
  };
  const inputs = [
    baseDtype === null ? null : rowRange(base, tensor, 0, mergedRows),
    ...takingPart.map((entry, i) => (entry && ownRows[i]! > 0 ? inputOf(models[i]!, entry, ownRows[i]!, columns, matched[i]!) : null)),
  ];
  const rest = remainingRows(participants, tensor, mergedRows, slot.outDtype);
  return { name: tensor.name, dtype: slot.outDtype, shape: rest.shape, merged: { slot, inputs }, copies: rest.copies, comparison: null };
}

/** A model's part of the merged rows: its first ones, or those of the same tokens. */
function inputOf(model: Checkpoint, entry: TensorEntry, own: number, columns: number, runs: readonly RowRun[] | null): InputRange {
  if (runs === null) return rowRange(model, entry, 0, own);
  return { ...rowRange(model, entry, 0, rowsOf(entry).rows), gathered: { columns, runs } };
}

const endOf = (runs: readonly RowRun[]) => runs.reduce((_, { first, count }) => first + count, 0);

/** Elements of the first `rows` rows that no run has. */
function gapsOf(runs: readonly RowRun[], rows: number, columns: number): ElementRange[] {
  const edges = [...runs, { first: rows, count: 0 }];
  let end = 0;
  return edges.flatMap(({ first, count }) => {
    const gap = { first: end * columns, end: first * columns };
    end = first + count;
    return gap.end > gap.first ? [gap] : [];
  });
}

/** The tensor as `main` has it, in the base's rows: for a floating vocabulary `main` may have fewer or more. */
function composed(participants: Participants, tensor: TensorEntry, main: Owned): PlannedTensor {
  const { entry, owner } = main;
  const dtype = outputDtype(participants.recipe, isMergedDtype(tensor.dtype) ? tensor.dtype : entry.dtype);
  if (dtype === null || !isMergedDtype(tensor.dtype)) {
    const part: CopyPart = { range: wholeRange(owner, entry), dtype: entry.dtype, outDtype: dtype ?? entry.dtype };
    return { name: tensor.name, dtype: part.outDtype, shape: entry.shape, merged: null, copies: withValues([part]), comparison: null };
  }
  const own = Math.min(rowsOf(tensor).rows, rowsOf(entry).rows);
  const rest = remainingRows(participants, tensor, own, dtype);
  const first: CopyPart = { range: rowRange(owner, entry, 0, own), dtype: valueDtype(entry), outDtype: dtype };
  return { name: tensor.name, dtype, shape: rest.shape, merged: null, copies: withValues([first, ...rest.copies]), comparison: null };
}

/** The base's rows from `from` on, and the extra rows the user keeps. */
function remainingRows(participants: Participants, tensor: TensorEntry, from: number, outDtype: Dtype): { copies: CopyPart[]; shape: readonly number[] } {
  const { base } = participants;
  const { rows } = rowsOf(tensor);
  const own: CopyPart = { range: rowRange(base, tensor, from, rows), dtype: tensor.dtype, outDtype };
  const extra = extraRows(participants, tensor);
  if (!extra) return { copies: withValues([own]), shape: tensor.shape };
  const grown = rowsOf(extra.entry).rows;
  const further: CopyPart = { range: rowRange(extra.owner, extra.entry, rows, grown), dtype: valueDtype(extra.entry), outDtype };
  return { copies: withValues([own, further]), shape: [grown, ...tensor.shape.slice(1)] };
}

const withValues = (parts: readonly CopyPart[]) => parts.filter(({ range }) => range.end > range.begin);

/** Whose further rows of a vocabulary are kept: the chosen checkpoint's where it has more than the base. */
export function extraRows({ choices, checkpoint, entryOf, rowsIn }: Participants, tensor: TensorEntry): Owned | null {
  if (choices.extraRows === 'cut' || !isVocabulary(tensor.name) || tensor.shape.length === 0) return null;
  const owner = checkpoint(choices.extraRows.from);
  const entry = entryOf(tensor, owner);
  // In the base's order there is no place for the rows of a model that has its tokens elsewhere.
  if (!entry || !isMergedDtype(entry.dtype) || !hasSameRows(tensor, entry) || rowsIn(tensor, owner, entry)) return null;
  return rowsOf(entry).rows > rowsOf(tensor).rows ? { owner, entry } : null;
}

/** `take from model X`: the shape must be the base's, or for a vocabulary the shape of a row. */
function take(participants: Participants, tensor: TensorEntry, owner: Checkpoint): Decision {
  const entry = participants.entryOf(tensor, owner);
  const about = { severity: 'refusal', tensor: tensor.name, model: owner.id, baseShape: tensor.shape } as const;
  if (!entry) return { refused: [{ kind: 'missing-in-model', ...about }] };
  const isFloating = isMergedDtype(tensor.dtype);
  if (isFloating && !isMergedDtype(entry.dtype)) return { refused: [{ kind: 'dtype-unsupported', ...about, modelShape: entry.shape, dtype: entry.dtype }] };
  const fits = isVocabulary(tensor.name) ? hasSameRows(tensor, entry) : hasSameShape(tensor, entry);
  // An integer tensor is somebody's as a whole, in whatever shape it has.
  if (isFloating && !fits) return { refused: [{ kind: 'shape-differs', ...about, modelShape: entry.shape }] };
  return { tensor: composed(participants, tensor, { owner, entry }) };
}

/** A tensor that is not floating, from the base; its bytes are to be compared with those of the models that have it. */
function compared(participants: Participants, tensor: TensorEntry): PlannedTensor {
  const { base, models, choices, entryOf } = participants;
  const others = [...new Set(models)].filter(({ id }) => id !== base.id && !isLeftOut(choices, tensor.name, id));
  const ranges = others.flatMap((model) => {
    const entry = entryOf(tensor, model);
    return entry ? [wholeRange(model, entry)] : [];
  });
  const comparison = ranges.length > 0 && tensor.end > tensor.begin ? { tensor: tensor.name, ranges: [wholeRange(base, tensor), ...ranges] } : null;
  return { ...composed(participants, tensor, { owner: base, entry: tensor }), comparison };
}

function hasSameShape(a: TensorEntry, b: TensorEntry): boolean {
  return a.shape.length === b.shape.length && a.shape.every((dimension, i) => dimension === b.shape[i]);
}

/** Same but for the number of rows. */
function hasSameRows(a: TensorEntry, b: TensorEntry): boolean {
  return a.shape.length === b.shape.length && a.shape.length > 0 && a.shape.slice(1).every((dimension, i) => dimension === b.shape[i + 1]);
}
