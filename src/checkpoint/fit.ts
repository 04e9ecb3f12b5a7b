/** Do these checkpoints fit together? Every difference as a row of the preflight table (merging.md sections 8 and 10). */
import { isIntegerDtype, isMergedDtype } from '../bytes/dtypes';
import type { Dtype } from '../bytes/dtypes';
import { isVocabulary, placeOf } from './places';
import { compareVocabularies } from './vocabulary';
import { quantisationOf } from './quantisation';
import type { Checkpoint, FitIssue, TensorEntry } from './types';

/**
 * Compares `models` with `base` (for `linear` without a base: its first model), from headers alone. By the base's tensors
 * in UTF-8 order, then by model; what only models have comes last. A refusal stops the merge until the user decides or
 * leaves the model out for that tensor; a warning names what is lost or how it is matched.
 *
 * A quantised checkpoint is one refusal and the only kind listed: tensor by tensor its weights would be said to be missing.
 *
 * Integer tensors whose headers agree are listed once as `integer-copied` with the base as their model; whoever can read
 * bytes must compare them and turn the row into `integer-differs` where they are not the same.
 */
export function fitCheckpoints(base: Checkpoint, models: readonly Checkpoint[]): FitIssue[] {
  const quantised = [...new Set([base, ...models])].flatMap(quantisedIssue);
  if (quantised.length > 0) return quantised;
  const tensorsOf = models.map((model) => ({ model, tensors: new Map(model.tensors.map((tensor) => [tensor.name, tensor])) }));
  const inBase = new Set(base.tensors.map(({ name }) => name));
  const shared = base.tensors.flatMap((tensor) => {
    if (!isMergeable(tensor)) {
      if (!isCopied(tensor)) return [unsupported(tensor, base.id)];
      const differing = tensorsOf.flatMap(({ model, tensors }) => integerIssue(tensor, tensors.get(tensor.name), model.id));
      return differing.length > 0 ? differing : [copied(tensor, base.id)];
    }
    return tensorsOf.flatMap(({ model, tensors }) => mergedIssues(tensor, tensors, model));
  });
  const extra = tensorsOf.flatMap(({ model, tensors }) =>
    [...tensors.values()]
      .filter(({ name }) => !inBase.has(name))
      .map(({ name, shape, dtype }): FitIssue => ({ kind: 'only-in-model', severity: 'warning', tensor: name, model: model.id, modelShape: shape, dtype })),
  );
  return [...models.flatMap((model) => tokenIssue(base, model)), ...shared, ...extra];
}

/** Said of the first tensor whose rows are tokens. */
function tokenIssue(base: Checkpoint, model: Checkpoint): FitIssue[] {
  const table = base.tensors.find(({ name, shape }) => isVocabulary(name) && shape.length === 2);
  if (!table || !base.vocabulary || !model.vocabulary || model.adapter) return [];
  const tokens = compareVocabularies(base.vocabulary, model.vocabulary);
  if (tokens.moved === 0) return [];
  return [{ kind: 'tokens-differ', severity: 'warning', tensor: table.name, model: model.id, tokens }];
}

function quantisedIssue({ id, tensors }: Checkpoint): FitIssue[] {
  const found = quantisationOf(tensors);
  return found ? [{ kind: 'quantised', severity: 'refusal', tensor: found.first, model: id, dtype: found.scheme }] : [];
}

/** Issues of one floating tensor of the base with one model. */
function mergedIssues(base: TensorEntry, tensors: ReadonlyMap<string, TensorEntry>, model: Checkpoint): FitIssue[] {
  const own = tensors.get(base.name);
  if (own) return pairIssues(base, own, model.id);
  const embedding = placeOf(base.name).module === 'lm_head' ? standIn(base, model) : null;
  const about = { tensor: base.name, model: model.id, baseShape: base.shape };
  if (!embedding) return [{ kind: 'missing-in-model', severity: 'warning', ...about }];
  return [{ kind: 'tied-head', severity: 'info', ...about, modelShape: embedding.shape }, ...pairIssues(base, embedding, model.id)];
}

/**
 * The embedding that a tied model uses as its head, or null: the model has no head of its own, and an embedding whose rows
 * are as wide as the base's head. The planner reads the same tensor.
 */
export function standIn(head: TensorEntry, model: Checkpoint): TensorEntry | null {
  if (head.shape.length !== 2 || model.tensors.some(({ name }) => placeOf(name).module === 'lm_head' && name.endsWith('.weight'))) return null;
  const embedding = model.tensors.find(({ name, shape }) => placeOf(name).module === 'embed' && isVocabulary(name) && shape.length === 2);
  return embedding && embedding.shape[1] === head.shape[1] ? embedding : null;
}

function pairIssues(base: TensorEntry, own: TensorEntry, model: string): FitIssue[] {
  if (!isMergedDtype(own.dtype)) return [{ ...unsupported(own, model), tensor: base.name }];
  if (sameShape(base.shape, own.shape)) return [];
  const about = { tensor: base.name, model, baseShape: base.shape, modelShape: own.shape };
  const rowsOnly = base.shape.length > 0 && base.shape.length === own.shape.length && sameShape(base.shape.slice(1), own.shape.slice(1));
  if (rowsOnly && isVocabulary(base.name)) return [{ kind: 'rows-differ', severity: 'warning', ...about }];
  return [{ kind: 'shape-differs', severity: 'refusal', ...about }];
}

/** An integer tensor of which a model has another dtype or shape, or none at all. */
function integerIssue(base: TensorEntry, own: TensorEntry | undefined, model: string): FitIssue[] {
  const about = { tensor: base.name, model, baseShape: base.shape };
  if (!own) return [{ kind: 'missing-in-model', severity: 'info', ...about, dtype: base.dtype }];
  if (own.dtype === base.dtype && sameShape(own.shape, base.shape)) return [];
  return [{ kind: 'integer-differs', severity: 'refusal', ...about, modelShape: own.shape, dtype: own.dtype }];
}

function copied({ name, shape, dtype }: TensorEntry, model: string): FitIssue {
  return { kind: 'integer-copied', severity: 'info', tensor: name, model, baseShape: shape, dtype };
}

function unsupported({ name, shape, dtype }: TensorEntry, model: string): FitIssue {
  return { kind: 'dtype-unsupported', severity: 'refusal', tensor: name, model, modelShape: shape, dtype };
}

const isMergeable = ({ dtype }: TensorEntry) => isMergedDtype(dtype);

/** Copied from the base when all agree: integers, booleans and complex numbers that are not packed weights (faults.md A 15). */
function isCopied({ name, dtype }: TensorEntry): boolean {
  return isWhole(dtype) && !isPackedWeight(name);
}

const isWhole = (dtype: Dtype) => isIntegerDtype(dtype) || dtype === 'C64';

/** An integer tensor under a name that holds weights is quantised: GPTQ, AWQ, compressed-tensors, bitsandbytes. */
const isPackedWeight = (name: string) => /\.(?:weight|qweight|qzeros|weight_packed)$/.test(name);

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}
