/** What was decided where checkpoints differ, under the studio's own key: without it a YAML would not be the whole recipe. */
import type { Entry, YamlReader } from './yaml-read';
import { yamlString } from './yaml-text';

/** The part of a plan's choices that a text holds (merging.md section 10); models by checkpoint id. */
export interface RecipeChoices {
  readonly leaveOut: Readonly<Record<string, readonly string[]>>;
  readonly extraRows: 'cut' | { readonly from: string };
  readonly integerFrom: Readonly<Record<string, string>>;
  readonly allowNonfinite: boolean;
  /** Rows of tokens under other ids, matched by token unless told. */
  readonly rows?: 'id' | 'token';
}

/** As one line of YAML; null where everything is as it is without a decision. `name` gives a checkpoint's name as YAML. */
export function writeChoices({ leaveOut, extraRows, integerFrom, allowNonfinite, rows }: RecipeChoices, name: (id: string) => string): string | null {
  const list = (pairs: readonly (readonly [string, string])[]) => `[${pairs.map(([tensor, id]) => `{tensor: ${yamlString(tensor)}, model: ${name(id)}}`).join(', ')}]`;
  const left = Object.entries(leaveOut).flatMap(([tensor, ids]) => ids.map((id) => [tensor, id] as const));
  const integers = Object.entries(integerFrom);
  const fields = [
    ...(extraRows === 'cut' ? [] : [`extra_rows: ${name(extraRows.from)}`]),
    ...(rows === 'id' ? ['rows_by_id: true'] : []),
    ...(left.length === 0 ? [] : [`leave_out: ${list(left)}`]),
    ...(integers.length === 0 ? [] : [`integer_from: ${list(integers)}`]),
    ...(allowNonfinite ? ['allow_nonfinite: true'] : []),
  ];
  return fields.length === 0 ? null : `{${fields.join(', ')}}`;
}

/** What `writeChoices` wrote; `modelOf` reads a model's name, and reports one that is not open. */
export function readChoices(yaml: YamlReader, entry: Entry, modelOf: (entry: Entry | undefined, what: string) => string | undefined): RecipeChoices {
  const fields = yaml.map(entry, 'choices');
  yaml.unknownKeys(fields, ['extra_rows', 'rows_by_id', 'leave_out', 'integer_from', 'allow_nonfinite'], 'choices.');
  const pairs = (key: string) =>
    yaml.list(fields.get(key), `choices.${key}`).flatMap((item) => {
      const pair = yaml.map(item, `choices.${key}`);
      yaml.unknownKeys(pair, ['tensor', 'model'], `choices.${key}.`);
      const tensor = yaml.string(pair.get('tensor') ?? { node: null, line: item.line }, `choices.${key}.tensor`);
      const model = modelOf(pair.get('model') ?? { node: null, line: item.line }, `choices.${key}.model`);
      return tensor === undefined || model === undefined ? [] : [[tensor, model] as const];
    });
  // Maps, since a tensor may be called `__proto__`.
  const leaveOut = new Map<string, readonly string[]>();
  for (const [tensor, model] of pairs('leave_out')) leaveOut.set(tensor, [...(leaveOut.get(tensor) ?? []), model]);
  const from = fields.has('extra_rows') ? modelOf(fields.get('extra_rows'), 'choices.extra_rows') : undefined;
  return {
    leaveOut: Object.fromEntries(leaveOut),
    extraRows: from === undefined ? 'cut' : { from },
    integerFrom: Object.fromEntries(new Map(pairs('integer_from'))),
    allowNonfinite: yaml.boolean(fields.get('allow_nonfinite'), 'choices.allow_nonfinite') ?? false,
    ...(yaml.boolean(fields.get('rows_by_id'), 'choices.rows_by_id') === true ? { rows: 'id' as const } : {}),
  };
}
