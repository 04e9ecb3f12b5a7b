/**
 * YAML text to nodes with positions, within bounds. The `yaml` library recurses with the nesting of its input, and a
 * stack that overflows inside V8's own code ends the process instead of throwing, so depth is measured beforehand, on
 * the syntax tree that the library builds without recursion.
 */
import { Composer, LineCounter, Parser } from 'yaml';
import type { CST, Node } from 'yaml';

/** UTF-16 units. The longest model cards' recipes have some 20,000. */
export const MAX_YAML_TEXT = 200_000;
/** Collections within each other; a recipe's deepest form has 8 (a gradient in a filter list of one of the models). */
export const MAX_YAML_DEPTH = 32;
/** Indicators such as `- `, `? `, `&a` and `!t` in one line, over which the lexer recurses. */
const MAX_INDICATORS = 64;
const INDICATOR = /(?:^|\s)(?:[-?:](?=\s|$)|[&!])/g;

export interface YamlFault {
  readonly reason: 'yaml-too-long' | 'yaml-too-deep' | 'yaml-syntax';
  readonly message: string;
  /** 1-based. */
  readonly line: number;
  readonly expected?: number;
  readonly actual?: number;
}
export interface ParsedYaml {
  /** The document's root; null when it is empty or there are faults. */
  readonly contents: Node | null;
  readonly faults: readonly YamlFault[];
  /** 1-based line of an offset into the text. */
  readonly lineAt: (offset: number) => number;
}

/** The one document in the text. Never throws. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const refused = (fault: YamlFault): ParsedYaml => ({ contents: null, faults: [fault], lineAt });

  if (text.length > MAX_YAML_TEXT) {
    return refused({ reason: 'yaml-too-long', message: `${text.length} characters`, line: 1, expected: MAX_YAML_TEXT, actual: text.length });
  }
  const crowded = text.split('\n').findIndex((line) => (line.match(INDICATOR)?.length ?? 0) > MAX_INDICATORS);
  if (crowded >= 0) {
    return refused({ reason: 'yaml-too-deep', message: 'too many indicators in one line', line: crowded + 1, expected: MAX_INDICATORS });
  }
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const deep = offsetBelow(tokens, MAX_YAML_DEPTH);
  if (deep !== null) {
    return refused({ reason: 'yaml-too-deep', message: 'collections too deep within each other', line: lineAt(deep), expected: MAX_YAML_DEPTH });
  }
  const [document, second] = [...new Composer({ schema: 'core', merge: false, prettyErrors: false }).compose(tokens, true, text.length)];
  const faults = (document?.errors ?? []).map(({ message, pos }): YamlFault => ({ reason: 'yaml-syntax', message, line: lineAt(pos[0]) }));
  if (second !== undefined) faults.push({ reason: 'yaml-syntax', message: 'a second document', line: lineAt(second.range[0]) });
  return { contents: faults.length === 0 ? (document?.contents ?? null) : null, faults, lineAt };
}

/** Offset of the first collection found deeper than `most`; null when there is none. */
function offsetBelow(tokens: readonly CST.Token[], most: number): number | null {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > most) return token.offset;
    if (token.type === 'document' && token.value) open.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const { key, value } of token.items) {
      if (key) open.push({ token: key, depth: depth + 1 });
      if (value) open.push({ token: value, depth: depth + 1 });
    }
  }
  return null;
}
