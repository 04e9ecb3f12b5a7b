/** The three forms of a setting (merging.md section 9), told apart and walked. */
import type { FilterRule, Setting } from './types';

type SettingValue = number | boolean;

export function isFilterList<T extends SettingValue>(setting: Setting<T>): setting is readonly FilterRule<T>[] {
  return Array.isArray(setting) && setting.some((item) => typeof item === 'object');
}

/** A rule that matches every tensor: no filter, `*`, or the empty substring. */
export function matchesAll(filter: string | undefined): boolean {
  return filter === undefined || filter === '' || filter === '*';
}

/** Substring of the tensor name; `*` or no filter matches all. */
export function matchesFilter(filter: string | undefined, tensorName: string): boolean {
  return matchesAll(filter) || tensorName.includes(filter!);
}

/** The setting as a filter list that means the same. */
export function asFilterList<T extends SettingValue>(setting: Setting<T>): readonly FilterRule<T>[] {
  return isFilterList(setting) ? setting : [{ value: setting }];
}

/** Every value a setting names: the scalar, each point of each gradient, in the order written. */
export function settingValues<T extends SettingValue>(setting: Setting<T>): (T | number)[] {
  return asFilterList(setting).flatMap(({ value }) => (Array.isArray(value) ? [...value] : [value as T]));
}

/** Whether some gradient in the setting has no points, or the filter list no rules. */
export function hasEmptyList<T extends SettingValue>(setting: Setting<T>): boolean {
  return asFilterList(setting).some(({ value }) => Array.isArray(value) && value.length === 0);
}

/** The one value of a setting that is the same for every tensor and layer; null when it is not. */
export function constantValue<T extends SettingValue>(setting: Setting<T>): T | number | null {
  if (isFilterList(setting)) {
    const first = setting[0]!;
    return matchesAll(first.filter) ? constantValue<T>(first.value) : null;
  }
  if (!Array.isArray(setting)) return setting as T;
  const [first, ...others] = setting as readonly number[];
  return first !== undefined && others.every((value) => value === first) ? first : null;
}
