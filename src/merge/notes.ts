/** What the reader of a plan must know, tensor by tensor. */
import type { FitIssue, TensorEntry } from '../checkpoint/types';
import { traitsOf } from '../recipe/methods';
import { ruleFor, scopeOf } from '../recipe/resolve';
import type { TensorParameters } from '../recipe/types';
import { extraRows } from './decide';
import type { PlannedTensor } from './decide';
import { isLeftOut, rowsOf } from './participants';
import type { Participants } from './participants';
import type { PlanNote } from './plan-types';

/** Notes of a decided tensor of the base. `issues` are its fit issues; `parameters` null when it is not merged. */
export function notesOf(
  participants: Participants,
  tensor: TensorEntry,
  planned: PlannedTensor,
  parameters: TensorParameters | null,
  issues: readonly FitIssue[],
): PlanNote[] {
  const { recipe, choices } = participants;
  const { name } = tensor;
  const notes: PlanNote[] = [];
  if (tensor.dtype === 'F64' && planned.dtype === 'F32') notes.push({ kind: 'f64-written-as-f32', tensor: name });
  const rule = ruleFor(recipe, name);
  if (rule?.action === 'keep-base') return [...notes, { kind: 'kept-base', tensor: name }, ...extraRowNotes(participants, tensor)];
  if (rule?.action === 'take') return [...notes, { kind: 'taken', tensor: name, model: rule.from! }, ...extraRowNotes(participants, tensor)];
  if (Object.hasOwn(choices.integerFrom, name) && planned.merged === null && planned.comparison === null) {
    return [...notes, { kind: 'taken', tensor: name, model: choices.integerFrom[name]! }];
  }
  notes.push(...issues.flatMap((issue) => issueNotes(participants, tensor, issue)));
  if (parameters && planned.merged) notes.push(...raisedNotes(participants, planned.merged.slot.modelElements, name, parameters));
  return notes;
}

/** A fit issue that does not stop the merge, as what the plan does about it. */
function issueNotes(participants: Participants, tensor: TensorEntry, { kind, model, modelShape, tokens }: FitIssue): PlanNote[] {
  const about = { tensor: tensor.name, model };
  if (kind === 'tokens-differ') return participants.choices.rows === 'id' ? [] : [{ kind, ...about, numbers: [tokens!.shared, tokens!.moved, tokens!.onlyInModel, tokens!.onlyInBase] }];
  if (kind !== 'rows-differ' || isLeftOut(participants.choices, tensor.name, model)) return [{ kind, ...about }];
  const rows = rowsOf(tensor).rows;
  const own = modelShape?.[0] ?? rows;
  if (own < rows) return [{ kind: 'rows-differ', ...about, numbers: [rows, own] }];
  return [{ kind: extraRows(participants, tensor)?.owner.id === model ? 'rows-copied' : 'rows-cut', ...about, numbers: [rows, own] }];
}

function extraRowNotes(participants: Participants, tensor: TensorEntry): PlanNote[] {
  const extra = extraRows(participants, tensor);
  if (!extra) return [];
  return [{ kind: 'rows-copied', tensor: tensor.name, model: extra.owner.id, numbers: [rowsOf(tensor).rows, rowsOf(extra.entry).rows] }];
}

/** Where the density asks for less than one value, one is kept (merging.md section 2). */
function raisedNotes({ recipe, models }: Participants, modelElements: readonly number[], tensor: string, { density }: TensorParameters): PlanNote[] {
  const { keeps } = traitsOf(recipe.method);
  if ((keeps !== 'largest' && keeps !== 'middle') || scopeOf(recipe).trim === 'model') return [];
  return models.flatMap(({ id }, i): PlanNote[] => {
    const isRaised = modelElements[i]! > 0 && Math.trunc(density[i]! * modelElements[i]!) === 0;
    return isRaised ? [{ kind: 'k-raised-to-one', tensor, model: id, numbers: [1, modelElements[i]!] }] : [];
  });
}
