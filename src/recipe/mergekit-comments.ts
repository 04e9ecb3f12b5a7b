/** Comments of a text that was read, carried over into the text that is written. */
import { isMap, isScalar, isSeq, LineCounter, Parser } from 'yaml';
import type { Node } from 'yaml';
import type { OutputDtype } from '../bytes/dtypes';
import type { RecipeChoices } from './mergekit-choices';
import { HEADER, HEADER_POINT, toMergeKit } from './mergekit-write';
import type { Recipe } from './types';
import { parseYaml } from './yaml-parse';
import { UNPRINTABLE } from './yaml-text';

/** The text a recipe was last read from, and how it names checkpoints, by id. Serialisable. */
export interface RecipeText {
  readonly text: string;
  readonly paths: Readonly<Record<string, string>>;
}

/**
 * MergeKit's YAML for the recipe as `toMergeKit` writes it, with the names and the comments of the text it was read from. A
 * comment stays with its key, or with what the key was part of where it is gone; models are known by their names.
 */
export function rewriteMergeKit(recipe: Recipe, nameOf: (id: string) => string, dominant: OutputDtype | undefined, source: RecipeText | null, choices?: RecipeChoices): string {
  if (source === null) return toMergeKit(recipe, nameOf, dominant, choices);
  const named = (id: string) => (Object.hasOwn(source.paths, id) ? source.paths[id]! : nameOf(id));
  return withComments(source.text, toMergeKit(recipe, named, dominant, choices));
}

/** `text`, one key a line, with the comments of `previous`; unchanged when that cannot be read. */
export function withComments(previous: string, text: string): string {
  const [old, next] = [outline(previous), outline(text)];
  if (old === null || next === null) return text;
  const lines = text.split('\n');
  const before = new Map<number, string[]>();
  const behind = new Map<number, string[]>();
  const firstKey = Math.min(...next.lineOf.values());
  for (const comment of withoutHeader(commentsOf(previous))) {
    const { line, isOwnLine } = comment;
    const shown = comment.text.replace(UNPRINTABLE, ' ').trimEnd();
    const owner = isOwnLine ? old.paths.find((path) => path.line > line) : old.paths.findLast((path) => path.line <= line);
    // What stands above everything is about everything, whichever key came first.
    const isAbove = isOwnLine && owner === old.paths[0];
    const target = isAbove ? firstKey : owner === undefined ? lines.length : nearest(next.lineOf, owner.path);
    const list = isOwnLine || target === lines.length ? before : behind;
    list.set(target, [...(list.get(target) ?? []), shown]);
  }
  const written = lines.flatMap((line, i) => {
    const indent = /^[ ]*/.exec(line)![0];
    const trailing = behind.get(i + 1);
    return [...(before.get(i + 1) ?? []).map((comment) => `${indent}${comment}`), trailing ? `${line}  ${trailing.join(' ')}` : line];
  });
  return written.join('\n');
}

interface Outline {
  /** Every key and item with its 1-based line, in the order of the text. */
  readonly paths: readonly { readonly path: readonly string[]; readonly line: number }[];
  readonly lineOf: ReadonlyMap<string, number>;
}

const keyOf = (path: readonly string[]) => JSON.stringify(path);

function outline(text: string): Outline | null {
  const { contents, faults, lineAt } = parseYaml(text);
  if (faults.length > 0 || contents === null) return null;
  const paths: { path: string[]; line: number }[] = [];
  const visit = (node: Node | null, path: string[]) => {
    if (isMap<Node, Node | null>(node)) {
      for (const { key, value } of node.items) {
        const below = [...path, isScalar(key) ? String(key.value) : ''];
        paths.push({ path: canonical(below), line: lineAt(key.range![0]) });
        visit(value, below);
      }
    } else if (isSeq<Node | null>(node)) {
      node.items.forEach((item, i) => {
        const below = [...path, itemName(item) ?? String(i)];
        if (item?.range) paths.push({ path: canonical(below), line: lineAt(item.range[0]) });
        visit(item, below);
      });
    }
  };
  visit(contents, []);
  paths.sort((a, b) => a.line - b.line || a.path.length - b.path.length);
  const lineOf = new Map<string, number>();
  for (const { path, line } of paths) if (!lineOf.has(keyOf(path))) lineOf.set(keyOf(path), line);
  return { paths, lineOf };
}

/** An item of a list of models is known by its model, so that it may move. */
function itemName(item: Node | null): string | null {
  const model = isMap(item) ? item.get('model') : undefined;
  return typeof model === 'string' ? model : null;
}

/** A source of a slice is written as a model. */
function canonical(path: readonly string[]): string[] {
  if (path[0] !== 'slices') return [...path];
  return path[2] === 'sources' ? ['models', ...path.slice(3)] : path.length < 3 ? ['models'] : path.slice(2);
}

/** The line of the path, or of the nearest part of it that is there; the first key's where none is. */
function nearest(lineOf: ReadonlyMap<string, number>, path: readonly string[]): number {
  for (let length = path.length; length > 0; length--) {
    const line = lineOf.get(keyOf(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return Math.min(...lineOf.values());
}

interface Comment {
  readonly text: string;
  /** 1-based. */
  readonly line: number;
  readonly isOwnLine: boolean;
}

/** Those that the studio did not write itself. */
function withoutHeader(comments: readonly Comment[]): Comment[] {
  let header = 0;
  return comments.filter(({ text, line, isOwnLine }) => {
    const isHeader = isOwnLine && (HEADER.test(text) || (line === header + 1 && HEADER_POINT.test(text)));
    if (isHeader) header = line;
    return !isHeader;
  });
}

/** The comments of a text that `parseYaml` accepts, which bounds the depth of its tokens. */
function commentsOf(text: string): Comment[] {
  const found: { source: string; offset: number }[] = [];
  const gather = (token: unknown) => {
    if (typeof token !== 'object' || token === null) return;
    const { type, source, offset } = token as { type?: unknown; source?: unknown; offset?: unknown };
    if (type === 'comment') found.push({ source: source as string, offset: offset as number });
    else Object.values(token).forEach(gather);
  };
  const lines = new LineCounter();
  gather([...new Parser(lines.addNewLine).parse(text)]);
  return found
    .sort((a, b) => a.offset - b.offset)
    .map(({ source, offset }) => {
      const { line, col } = lines.linePos(offset);
      return { text: source, line, isOwnLine: text.slice(offset - col + 1, offset).trim() === '' };
    });
}
