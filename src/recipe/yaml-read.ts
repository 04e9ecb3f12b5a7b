/** YAML nodes read with their line numbers: everything unexpected becomes a problem, nothing is thrown. */
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Node } from 'yaml';
import { InvalidRecipeError } from '../bytes/errors';
import type { ErrorWhere } from '../bytes/errors';
import type { FilterRule, Gradient, Setting } from './types';
import { parseYaml } from './yaml-parse';

export interface MergeKitProblem {
  /** An error leaves no recipe; a warning says what was read differently or not at all. */
  readonly severity: 'error' | 'warning';
  /** `where.line` is the 1-based line. */
  readonly error: InvalidRecipeError;
}

/** A value with the line of its key, or its own in a list. A null node is a key without value. */
export interface Entry {
  readonly node: Node | null;
  readonly line: number;
}

export class YamlReader {
  readonly problems: MergeKitProblem[] = [];
  readonly root: Entry;
  private readonly reported = new Set<string>();
  private readonly lineAt: (offset: number) => number;

  constructor(text: string) {
    const { contents, faults, lineAt } = parseYaml(text);
    this.lineAt = lineAt;
    for (const { reason, message, line, ...numbers } of faults) this.error(reason, message, line, numbers);
    this.root = { node: contents, line: this.lineOf(contents, 1) };
  }

  error(reason: string, message: string, line: number, where: ErrorWhere = {}): void {
    this.report('error', new InvalidRecipeError(reason, message, { ...where, line }));
  }

  warn(reason: string, message: string, line: number, where: ErrorWhere = {}): void {
    this.report('warning', new InvalidRecipeError(reason, message, { ...where, line }));
  }

  /** Once: what several models share is read for each of them. */
  private report(severity: MergeKitProblem['severity'], error: InvalidRecipeError): void {
    const key = `${severity} ${error.reason} ${error.where.line} ${error.message}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    this.problems.push({ severity, error });
  }

  /** The entries of a map by key; an absent or empty value is an empty map. */
  map(entry: Entry | undefined, what: string): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    if (entry === undefined || isEmpty(entry.node)) return entries;
    if (!isMap<Node, Node | null>(entry.node)) {
      this.wrongType(entry, what, 'a map');
      return entries;
    }
    for (const { key, value } of entry.node.items) {
      const line = this.lineOf(key, entry.line);
      if (isScalar(key)) entries.set(String(key.value), { node: value, line });
      else this.error('yaml-key', `${what} has a key that is not text`, line, { names: [what] });
    }
    return entries;
  }

  /** Warns of the keys of `map` that are not in `known`. */
  unknownKeys(map: ReadonlyMap<string, Entry>, known: readonly string[], within: string): void {
    for (const [key, { line }] of map) {
      if (!known.includes(key)) this.warn('unknown-key', `${within}${key} is not read`, line, { names: [`${within}${key}`] });
    }
  }

  /** The items of a list; an absent or empty value is an empty list. */
  list(entry: Entry | undefined, what: string): Entry[] {
    if (entry === undefined || isEmpty(entry.node)) return [];
    if (!isSeq<Node | null>(entry.node)) {
      this.wrongType(entry, what, 'a list');
      return [];
    }
    return entry.node.items.map((node) => ({ node, line: this.lineOf(node, entry.line) }));
  }

  string(entry: Entry | undefined, what: string): string | undefined {
    if (entry === undefined) return undefined;
    if (isScalar(entry.node) && typeof entry.node.value === 'string') return entry.node.value;
    return this.wrongType(entry, what, 'text');
  }

  number(entry: Entry | undefined, what: string): number | undefined {
    if (entry === undefined) return undefined;
    if (isScalar(entry.node) && typeof entry.node.value === 'number') return entry.node.value;
    return this.wrongType(entry, what, 'a number');
  }

  boolean(entry: Entry | undefined, what: string): boolean | undefined {
    if (entry === undefined) return undefined;
    return asBoolean(entry.node) ?? this.wrongType(entry, what, 'true or false');
  }

  oneOf<T extends string>(entry: Entry | undefined, allowed: readonly T[], what: string): T | undefined {
    const text = this.string(entry, what);
    if (text === undefined) return undefined;
    const found = allowed.find((item) => item === text);
    if (found === undefined) {
      const expected = allowed.join(', ');
      this.error('value-unknown', `${what} ${text} is none of ${expected}`, entry!.line, { names: [what], expected, actual: text });
    }
    return found;
  }

  numberSetting(entry: Entry | undefined, what: string): Setting<number> | undefined {
    return this.setting(entry, what, (node) => (isScalar(node) && typeof node.value === 'number' ? node.value : undefined));
  }

  /** As Python would, a number stands for true unless it is 0. */
  booleanSetting(entry: Entry | undefined, what: string): Setting<boolean> | undefined {
    return this.setting(entry, what, asBoolean);
  }

  private setting<T extends number | boolean>(entry: Entry | undefined, what: string, scalar: (node: Node | null) => T | undefined): Setting<T> | undefined {
    if (entry === undefined) return undefined;
    if (isMap(entry.node)) return this.filterRules([entry], what, scalar);
    const items = isSeq(entry.node) ? this.list(entry, what) : [];
    return items.some(({ node }) => isMap(node)) ? this.filterRules(items, what, scalar) : this.gradient(entry, what, scalar);
  }

  private filterRules<T extends number | boolean>(items: readonly Entry[], what: string, scalar: (node: Node | null) => T | undefined): Setting<T> | undefined {
    const rules = items.map((item): FilterRule<T> | undefined => {
      const fields = this.map(item, `${what} rule`);
      this.unknownKeys(fields, ['filter', 'value'], `${what}.`);
      const filter = isEmpty(fields.get('filter')?.node) ? undefined : this.string(fields.get('filter'), `${what}.filter`);
      const value = this.gradient(fields.get('value') ?? { node: null, line: item.line }, `${what}.value`, scalar);
      if (value === undefined) return undefined;
      return filter === undefined ? { value } : { filter, value };
    });
    return rules.every((rule) => rule !== undefined) ? rules : undefined;
  }

  private gradient<T extends number | boolean>(entry: Entry, what: string, scalar: (node: Node | null) => T | undefined): Gradient<T> | undefined {
    if (!isSeq(entry.node)) return scalar(entry.node) ?? this.wrongType(entry, what, 'a number, a list or filters');
    const points = this.list(entry, what).map((point) => {
      const value = isScalar(point.node) && typeof point.node.value === 'number' ? point.node.value : asBoolean(point.node);
      return value === undefined ? this.wrongType(point, what, 'a number') : Number(value);
    });
    return points.every((point) => point !== undefined) ? points : undefined;
  }

  private wrongType(entry: Entry, what: string, expected: string): undefined {
    if (isAlias(entry.node)) this.error('yaml-alias', `${what} is a YAML alias, which is not read`, entry.line, { names: [what] });
    else this.error('wrong-type', `${what} is not ${expected}`, entry.line, { names: [what], expected });
    return undefined;
  }

  private lineOf(node: unknown, otherwise: number): number {
    const range = (node as Node | null)?.range;
    return range ? this.lineAt(range[0]) : otherwise;
  }
}

function isEmpty(node: Node | null | undefined): boolean {
  return node === undefined || node === null || (isScalar(node) && node.value === null);
}

/** YAML 1.1, which MergeKit reads, has more words for it than YAML 1.2. */
function asBoolean(node: Node | null): boolean | undefined {
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (typeof value !== 'string') return undefined;
  if (/^(?:yes|on)$/i.test(value)) return true;
  return /^(?:no|off)$/i.test(value) ? false : undefined;
}
