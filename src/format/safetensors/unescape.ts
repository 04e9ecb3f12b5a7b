/** JSON string escapes, resolved on bytes. */

const BACKSLASH = 0x5c;
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 }).map(([letter, byte]) => [letter.charCodeAt(0), byte]),
);

/**
 * The contents of a JSON string, bytes [begin, end), as UTF-8 without escapes; or, as a number, the position of an escape
 * that JSON does not have or that is half of a surrogate pair. An escape is never shorter than the UTF-8 it stands for.
 */
export function unescapeUtf8(bytes: Uint8Array, begin: number, end: number): Uint8Array | number {
  const plain = new Uint8Array(end - begin);
  let length = 0;
  let at = begin;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte !== BACKSLASH) {
      plain[length++] = byte;
      at++;
      continue;
    }
    const simple = ESCAPES.get(bytes[at + 1]!);
    if (simple !== undefined) {
      plain[length++] = simple;
      at += 2;
      continue;
    }
    const unit = codeUnit(bytes, at);
    const isHigh = unit >= 0xd800 && unit < 0xdc00;
    const low = isHigh ? codeUnit(bytes, at + 6) : -1;
    const isPair = low >= 0xdc00 && low < 0xe000;
    if (unit < 0 || (unit >= 0xd800 && unit < 0xe000 && !isPair)) return at;
    length = putUtf8(plain, length, isPair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : unit);
    at += isPair ? 12 : 6;
  }
  return plain.subarray(0, length);
}

/** The UTF-16 unit of the escape \uXXXX at `at`, or -1 when there is none. */
function codeUnit(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== 0x75) return -1;
  let unit = 0;
  for (let i = 2; i < 6; i++) {
    const byte = bytes[at + i] ?? 0;
    const lower = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
    else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + lower - 0x57;
    else return -1;
  }
  return unit;
}

/** Writes a code point as UTF-8 at `at`; returns the position after it. */
function putUtf8(bytes: Uint8Array, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    bytes[at] = codePoint;
    return at + 1;
  }
  const following = codePoint < 0x800 ? 1 : codePoint < 0x10000 ? 2 : 3;
  const lead = following === 1 ? 0xc0 : following === 2 ? 0xe0 : 0xf0;
  bytes[at] = lead | (codePoint >>> (6 * following));
  for (let i = 1; i <= following; i++) bytes[at + i] = 0x80 | ((codePoint >>> (6 * (following - i))) & 0x3f);
  return at + following + 1;
}
