/**
 * Keys of `rank_pattern` and `alpha_pattern` of adapter_config.json: regular expressions that PEFT matches with the end of a module's
 * name, from its beginning or a dot. They come from a file, so they are not given to an engine that tries every way to match: three
 * stars in a row take it minutes on one long name. Here every character of the name is looked at once for each part of the key.
 */

/** What a key may be made of: word characters, `.`, `\.`, `\d`, `[0-9]`, of which `.` may repeat by `*` or `+`, digits by `+`. */
const KEY = /^\^?(?:[\w-]|\\?\.|\\d\+?|\.\*|\.\+|\[0-9\]\+?)+\$?$/;
const PART = /(\\d|\[0-9\]|\\\.|\.|[\w-])([*+]?)/g;
const MOST_PARTS = 300;
/** Of a key with repeats. */
const MOST_REPEATING_PARTS = 100;

type Matches = (character: string) => boolean;
interface Part {
  readonly matches: Matches;
  /** May be left out; may come again. */
  readonly optional: boolean;
  readonly repeats: boolean;
}
export interface NamePattern {
  readonly parts: readonly Part[];
  /** From the beginning of the name only. */
  readonly anchored: boolean;
  readonly repeats: boolean;
}

const isDigit: Matches = (character) => character >= '0' && character <= '9';
const isAny: Matches = (character) => character !== '\n' && character !== '\r' && character !== '\u2028' && character !== '\u2029';

/** Null for a key that is made of anything else, or of too much. */
export function readPattern(key: string): NamePattern | null {
  if (key.length > 4 * MOST_PARTS || !KEY.test(key)) return null;
  const parts = [...key.matchAll(PART)].map(([, what, how]): Part => {
    const matches = what === '\\d' || what === '[0-9]' ? isDigit : what === '.' ? isAny : (character: string) => character === (what === '\\.' ? '.' : what);
    return { matches, optional: how === '*', repeats: how !== '' };
  });
  const repeats = parts.some((part) => part.repeats);
  if (parts.length > (repeats ? MOST_REPEATING_PARTS : MOST_PARTS)) return null;
  return { parts, anchored: key.startsWith('^'), repeats };
}

/** As `^(?:.*\.)?(?:KEY)$` would. */
export function matchesEnd({ parts, anchored, repeats }: NamePattern, name: string): boolean {
  const mayBegin = (at: number) => at === 0 || (!anchored && name[at - 1] === '.');
  if (!repeats) {
    const begin = name.length - parts.length;
    return begin >= 0 && mayBegin(begin) && parts.every(({ matches }, i) => matches(name[begin + i]!));
  }
  // Part that comes next, for every way to match that is still open.
  let open = new Uint8Array(parts.length + 1);
  const enter = (states: Uint8Array, state: number) => {
    for (let next = state; states[next] === 0; next++) {
      states[next] = 1;
      if (!parts[next]?.optional) return;
    }
  };
  if (mayBegin(0)) enter(open, 0);
  for (let at = 0; at < name.length; at++) {
    const after = new Uint8Array(parts.length + 1);
    parts.forEach((part, state) => {
      if (open[state] === 0 || !part.matches(name[at]!)) return;
      enter(after, state + 1);
      if (part.repeats) after[state] = 1;
    });
    if (mayBegin(at + 1)) enter(after, 0);
    open = after;
  }
  return open[parts.length] === 1;
}
