/** The checkpoints of a recipe and their tensors by name, as planning looks them up. */
import { InvalidRecipeError } from '../bytes/errors';
import type { Dtype, MergedDtype, OutputDtype } from '../bytes/dtypes';
import { isMergedDtype } from '../bytes/dtypes';
import { onBase } from '../checkpoint/adapter';
import { standIn } from '../checkpoint/fit';
import { isVocabulary, placeOf } from '../checkpoint/places';
import { areMatchedByToken, matchRows } from '../checkpoint/vocabulary';
import type { Checkpoint, Factor, RowRun, TensorEntry } from '../checkpoint/types';
import type { Recipe } from '../recipe/types';
import { validateRecipe } from '../recipe/validate';
import type { ByteRange, FactorRange, FitChoices, InputRange } from './plan-types';

export interface Participants {
  readonly recipe: Recipe;
  readonly choices: FitChoices;
  /** Whose names and shapes the output has: the recipe's base, or for `linear` without one the first model (merging.md section 10). */
  readonly base: Checkpoint;
  /** In recipe order; one listed twice is here twice. An adapter is what it makes of the base. */
  readonly models: readonly Checkpoint[];
  /** Any open checkpoint. Throws InvalidRecipeError `checkpoint-not-open`. */
  checkpoint(id: string): Checkpoint;
  /** A checkpoint's part in a tensor of the base: its own, or for a tied head its embedding (merging.md section 10). */
  entryOf(tensor: TensorEntry, checkpoint: Checkpoint): TensorEntry | null;
  /** Rows of a tensor of the base in a model's part of it, matched by token; null where they are matched by their numbers. */
  rowsIn(tensor: TensorEntry, model: Checkpoint, entry: TensorEntry): readonly RowRun[] | null;
}

/**
 * Looks the recipe's checkpoints up among the open ones. Throws the first InvalidRecipeError of a recipe without a meaning, and
 * `checkpoint-not-open` for one that names a checkpoint that is not there, `adapter-as-base` and `adapter-without-base`; as
 * `onBase` does for adapters that do not fit the base.
 */
export function findParticipants(open: readonly Checkpoint[], recipe: Recipe, choices: FitChoices): Participants {
  const [problem] = validateRecipe(recipe);
  if (problem) throw problem;
  const byId = new Map(open.map((checkpoint) => [checkpoint.id, checkpoint]));
  const byName = new Map<string, Map<string, TensorEntry>>();
  const tensorsOf = ({ id, tensors }: Checkpoint) => {
    const known = byName.get(id) ?? new Map(tensors.map((tensor) => [tensor.name, tensor]));
    byName.set(id, known);
    return known;
  };
  const checkpoint = (id: string) => {
    const found = byId.get(id);
    if (!found) throw new InvalidRecipeError('checkpoint-not-open', `checkpoint ${id} is not open`, { model: id });
    return found;
  };
  const named = recipe.models.map(({ model }) => checkpoint(model));
  const base = recipe.base === null ? named[0]! : checkpoint(recipe.base);
  const adapter = named.find((one) => one.adapter);
  if (adapter && recipe.base === null) throw new InvalidRecipeError('adapter-without-base', `${adapter.name} is an adapter: its base is needed`, { model: adapter.id });
  if (base.adapter) throw new InvalidRecipeError('adapter-as-base', `${base.name} is an adapter and has no tensors of its own`, { model: base.id });
  const adapted = new Map<string, Checkpoint>();
  const formed = (one: Checkpoint) => {
    const known = one.adapter ? (adapted.get(one.id) ?? onBase(one, base)) : one;
    adapted.set(one.id, known);
    return known;
  };
  return {
    recipe,
    choices,
    base,
    models: named.map(formed),
    checkpoint: (id) => formed(checkpoint(id)),
    entryOf(tensor, of) {
      const own = tensorsOf(of).get(tensor.name);
      return own ?? (placeOf(tensor.name).module === 'lm_head' ? standIn(tensor, of) : null);
    },
    rowsIn(tensor, model, entry) {
      if (choices.rows === 'id' || !isVocabulary(tensor.name) || tensor.shape.length === 0) return null;
      if (!areMatchedByToken(base, model)) return null;
      return matchRows(base.vocabulary!, model.vocabulary!, rowsOf(tensor).rows, rowsOf(entry).rows);
    },
  };
}

/** Whether the user left the model out for this tensor. */
export function isLeftOut(choices: FitChoices, tensor: string, model: string): boolean {
  return Object.hasOwn(choices.leaveOut, tensor) && choices.leaveOut[tensor]!.includes(model);
}

/** What a floating tensor is written as, by the recipe or else by `dtype`; F64 as F32 (merging.md section 1). Null: not floating. */
export function outputDtype({ outDtype }: Recipe, dtype: Dtype): OutputDtype | null {
  if (!isMergedDtype(dtype)) return null;
  if (outDtype !== 'base') return outDtype;
  return dtype === 'F64' ? 'F32' : dtype;
}

/** Rows of a tensor and the values of one. A scalar is one row. */
export function rowsOf({ shape, elements }: TensorEntry): { readonly rows: number; readonly columns: number } {
  const rows = shape[0] ?? 1;
  return { rows, columns: shape.length === 0 ? elements : shape.slice(1).reduce((product, dimension) => product * dimension, 1) };
}

/** The rows [first, end) of a tensor whose values fill whole bytes. */
export function rowRange({ id }: Checkpoint, entry: TensorEntry, first: number, end: number): InputRange {
  const { rows, columns } = rowsOf(entry);
  const perRow = rows === 0 ? 0 : (entry.end - entry.begin) / rows;
  const range = { checkpoint: entry.owner ?? id, shard: entry.shard, begin: entry.begin + first * perRow, end: entry.begin + end * perRow };
  if (!entry.adapted) return range;
  const { rank, scale, left, right } = entry.adapted;
  const sizes = { left: factorRange(left, rows, rank), right: factorRange(right, rank, columns) };
  return { ...range, adapted: { dtype: entry.dtype as MergedDtype, first: first * columns, columns, rank, scale, ...sizes } };
}

function factorRange({ checkpoint, tensor, isTransposed }: Factor, rows: number, columns: number): FactorRange {
  const range = { checkpoint, shard: tensor.shard, begin: tensor.begin, end: tensor.end };
  return { range, dtype: tensor.dtype as MergedDtype, rows, columns, isTransposed };
}

/** All bytes of a tensor. */
export function wholeRange({ id }: Checkpoint, { shard, begin, end, owner }: TensorEntry): ByteRange {
  return { checkpoint: owner ?? id, shard, begin, end };
}

/** Dtype of a tensor's values: those of an adapter are formed in F32. */
export function valueDtype({ dtype, adapted }: TensorEntry): Dtype {
  return adapted ? 'F32' : dtype;
}
