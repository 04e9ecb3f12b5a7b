/** What components read, made from the store. */
import { isVocabulary, layerCount } from '../checkpoint/places';
import type { Checkpoint, FitIssue } from '../checkpoint/types';
import type { Dtype } from '../bytes/dtypes';
import type { Roles } from './roles';

/** The colours of Figure 3 for SFT and the first CT model, the next of the palette for every further one. */
const FURTHER = ['var(--m3)', 'var(--m4)', 'var(--m5)', 'var(--m6)', 'var(--m7)', 'var(--m8)'] as const;

export interface ModelLabel {
  readonly id: string;
  readonly name: string;
  readonly role: 'sft' | 'ct' | 'other';
  /** A CSS colour. */
  readonly colour: string;
  /** Subscript of w, k and tau: `sft`, `ct`, numbered where several models share a role. */
  readonly symbol: string;
}

/** The models of a recipe, given as checkpoint ids in its order. */
export function modelLabels(ids: readonly string[], roles: Roles, open: readonly Pick<Checkpoint, 'id' | 'name'>[]): ModelLabel[] {
  const roleOf = (id: string): ModelLabel['role'] => {
    const role = roles[id];
    return role === 'sft' || role === 'ct' ? role : 'other';
  };
  const counts = { sft: 0, ct: 0, other: 0 };
  let further = 0;
  return ids.map((id) => {
    const role = roleOf(id);
    const number = ++counts[role];
    const alone = ids.filter((one) => roleOf(one) === role).length === 1;
    const colour = role !== 'other' && number === 1 ? `var(--${role})` : FURTHER[further++ % FURTHER.length]!;
    return { id, name: nameOf(open, id), role, colour, symbol: alone ? role : `${role}${number}` };
  });
}

/** Display name of a checkpoint; its id where it is not open. */
export function nameOf(open: readonly Pick<Checkpoint, 'id' | 'name'>[], id: string): string {
  return open.find((one) => one.id === id)?.name ?? id;
}

export interface CheckpointFacts {
  /** Dtypes by the number of values they hold, most first. */
  readonly dtypes: readonly Dtype[];
  readonly layers: number;
  /** Rows of the embedding, else what config.json says; null when neither is there. */
  readonly vocabulary: number | null;
}

export function factsOf({ tensors, config }: Checkpoint): CheckpointFacts {
  const values = new Map<Dtype, number>();
  for (const { dtype, elements } of tensors) values.set(dtype, (values.get(dtype) ?? 0) + elements);
  const embedding = tensors.find(({ name, shape }) => shape.length === 2 && isVocabulary(name));
  return {
    dtypes: [...values].sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype),
    layers: layerCount(tensors.map(({ name }) => name)) || (config.layers ?? 0),
    vocabulary: embedding?.shape[0] ?? config.vocabulary ?? null,
  };
}

export interface IssueGroup {
  readonly kind: FitIssue['kind'];
  /** The gravest of its issues. */
  readonly severity: FitIssue['severity'];
  /** Checkpoint id. */
  readonly model: string;
  readonly issues: readonly FitIssue[];
}
const GRAVITY: readonly FitIssue['severity'][] = ['refusal', 'warning', 'info'];

/** Issues of one kind with one model together, the gravest first. */
export function groupIssues(issues: readonly FitIssue[]): IssueGroup[] {
  const groups = new Map<string, FitIssue[]>();
  for (const issue of issues) {
    const key = `${issue.kind}\n${issue.model}`;
    const group = groups.get(key);
    if (group) group.push(issue);
    else groups.set(key, [issue]);
  }
  const gravest = (group: readonly FitIssue[]) => GRAVITY.find((one) => group.some(({ severity }) => severity === one))!;
  return [...groups.values()]
    .map((group) => ({ kind: group[0]!.kind, severity: gravest(group), model: group[0]!.model, issues: group }))
    .sort((a, b) => GRAVITY.indexOf(a.severity) - GRAVITY.indexOf(b.severity));
}
