/** What was decided where checkpoints differ, outside the page: with other names for checkpoints, and read back. */
import { DEFAULT_CHOICES, type FitChoices } from '../merge/plan-types';

/** The choices with other names for their checkpoints. */
export function renamedChoices(choices: FitChoices, nameOf: (id: string) => string): FitChoices {
  const { leaveOut, extraRows, integerFrom } = choices;
  return {
    ...choices,
    leaveOut: Object.fromEntries(Object.entries(leaveOut).map(([tensor, ids]) => [tensor, ids.map(nameOf)])),
    extraRows: extraRows === 'cut' ? extraRows : { from: nameOf(extraRows.from) },
    integerFrom: Object.fromEntries(Object.entries(integerFrom).map(([tensor, id]) => [tensor, nameOf(id)])),
  };
}

/** The value as an object; an empty one where it is none. */
export const recordOf = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});
const isText = (value: unknown): value is string => typeof value === 'string';

/** Choices that were kept as JSON; what is malformed or missing is at its default. */
export function readChoices(value: unknown): FitChoices {
  const { leaveOut, extraRows, integerFrom, allowNonfinite, rows } = recordOf(value);
  const { from } = recordOf(extraRows);
  return {
    leaveOut: Object.fromEntries(Object.entries(recordOf(leaveOut)).flatMap(([tensor, ids]) => (Array.isArray(ids) && ids.every(isText) ? [[tensor, ids]] : []))),
    extraRows: isText(from) ? { from } : DEFAULT_CHOICES.extraRows,
    integerFrom: Object.fromEntries(Object.entries(recordOf(integerFrom)).filter((entry): entry is [string, string] => isText(entry[1]))),
    allowNonfinite: allowNonfinite === true,
    ...(rows === 'id' ? { rows } : {}),
  };
}
