/**
 * Changes single members of a JSON text and leaves every other byte as it was. Parsing and printing would turn
 * `rope_theta: 10000.0` into 10000 and `1e-05` into 0.00001, which strictly typed readers take for another type.
 */

export type JsonScalar = string | number | boolean;

interface Member {
  readonly name: string;
  /** Index of the name's opening quote. */
  readonly begin: number;
  readonly valueBegin: number;
  /** Exclusive. */
  readonly valueEnd: number;
}

/**
 * `text`, which must be valid JSON with an object at its root, with the member at `path` set. The objects on the way
 * must exist; the member itself is added after the last one, indented like it, when there is none.
 */
export function setMember(text: string, path: readonly string[], value: JsonScalar): string {
  let object = skipSpace(text, 0);
  for (const name of path.slice(0, -1)) object = lastNamed(text, object, name)!.valueBegin;
  const name = path.at(-1)!;
  const written = JSON.stringify(value);
  const found = lastNamed(text, object, name);
  if (found !== undefined) return text.slice(0, found.valueBegin) + written + text.slice(found.valueEnd);

  const all = members(text, object);
  const last = all.at(-1);
  const entry = `${JSON.stringify(name)}: ${written}`;
  if (last === undefined) return `${text.slice(0, object + 1)}${entry}${text.slice(object + 1)}`;
  const space = /\s*$/.exec(text.slice(0, last.begin))![0];
  return `${text.slice(0, last.valueEnd)},${space}${entry}${text.slice(last.valueEnd)}`;
}

/** Readers take the last of members with one name. */
function lastNamed(text: string, object: number, name: string): Member | undefined {
  return members(text, object).findLast((member) => member.name === name);
}

function members(text: string, object: number): Member[] {
  const found: Member[] = [];
  let at = skipSpace(text, object + 1);
  while (text[at] !== '}') {
    const nameEnd = skipString(text, at);
    const valueBegin = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = skipValue(text, valueBegin);
    found.push({ name: JSON.parse(text.slice(at, nameEnd)) as string, begin: at, valueBegin, valueEnd });
    at = skipSpace(text, valueEnd);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return found;
}

function skipSpace(text: string, at: number): number {
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return at;
}

function skipString(text: string, at: number): number {
  for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
  return at + 1;
}

/** Exclusive end of the value that begins at `at`. */
function skipValue(text: string, at: number): number {
  let open = 0;
  do {
    const character = text[at]!;
    if ('[{'.includes(character)) open++;
    if (']}'.includes(character)) open--;
    if (character === '"') at = skipString(text, at);
    else if ('[]{},: \t\r\n'.includes(character)) at++;
    else while (at < text.length && !',]} \t\r\n'.includes(text[at]!)) at++;
  } while (open > 0);
  return at;
}
