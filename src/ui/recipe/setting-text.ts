/** A setting as text and back: the forms of merging.md section 9 as JSON, for gradients and filters that no slider shows. */
import { isFilterList, settingValues } from '../../recipe/settings';
import type { FilterRule, Gradient, Setting } from '../../recipe/types';

/** One rule or one gradient a line. */
export function settingText<T extends number | boolean>(setting: Setting<T>): string {
  if (!isFilterList(setting)) return JSON.stringify(setting).replaceAll(',', ', ');
  const rules = setting.map(({ filter, value }) => `  {${filter === undefined ? '' : `"filter": ${JSON.stringify(filter)}, `}"value": ${JSON.stringify(value).replaceAll(',', ', ')}}`);
  return `[\n${rules.join(',\n')}\n]`;
}

export type SettingReading<T extends number | boolean> = { readonly setting: Setting<T>; readonly problem: null } | { readonly setting: null; readonly problem: string };

/** Reads a number, a list of numbers, or a list of `{"filter": …, "value": …}`. What the numbers may be is the recipe's business. */
export function parseSetting(text: string, kind: 'number'): SettingReading<number>;
export function parseSetting(text: string, kind: 'boolean'): SettingReading<boolean>;
export function parseSetting(text: string, kind: 'number' | 'boolean'): SettingReading<number> | SettingReading<boolean> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('Not JSON: write 0.2, [0.1, 0.5] or [{"filter": "mlp", "value": 0.2}, {"value": 1}].');
  }
  const isScalar = (one: unknown) => (kind === 'number' ? Number.isFinite(one) : typeof one === 'boolean');
  const isGradient = (one: unknown): one is Gradient<never> => isScalar(one) || (Array.isArray(one) && one.length > 0 && one.every((point) => Number.isFinite(point)));
  if (isGradient(value)) return { setting: value as Setting<never>, problem: null };
  if (!Array.isArray(value)) return refuse(`Write a ${kind === 'number' ? 'number' : 'true, false'} or a list.`);
  if (value.length === 0) return refuse('The list is empty.');
  const rules: FilterRule<never>[] = [];
  for (const [i, item] of value.entries()) {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return refuse(`Item ${i + 1} is no {"filter": …, "value": …}.`);
    const { filter, value: own, ...others } = item as Record<string, unknown>;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) return refuse(`Item ${i + 1} has a field "${unknown}"; only filter and value are known.`);
    if (filter !== undefined && typeof filter !== 'string') return refuse(`The filter of item ${i + 1} is no text.`);
    if (!isGradient(own)) return refuse(`The value of item ${i + 1} is no ${kind === 'number' ? 'number' : 'true or false'} and no list of numbers.`);
    rules.push(filter === undefined ? { value: own } : { filter, value: own });
  }
  return { setting: rules as Setting<never>, problem: null };
}

function refuse(problem: string): { setting: null; problem: string } {
  return { setting: null, problem };
}

/** The one value to go on with when a list is made scalar: its first. */
export function firstValue<T extends number | boolean>(setting: Setting<T>, otherwise: T): T {
  const [first] = settingValues(setting);
  if (typeof otherwise === 'boolean') return Boolean(first ?? otherwise) as T;
  return (first ?? otherwise) as T;
}
