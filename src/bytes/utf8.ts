/** UTF-8: strict validation by position, and the byte order of strings. */

/**
 * Order of two strings by the bytes of their UTF-8 encodings, which is the order of their code points. JavaScript's own
 * comparison orders UTF-16 units, where U+10000 and above (surrogates, 0xd800 to 0xdfff) come before U+E000 to U+FFFF.
 * Returns a negative number, 0 or a positive number, as `Array.prototype.sort` wants it.
 */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** A UTF-16 unit's place when surrogates are moved behind the rest of the basic plane. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/**
 * Position of the first byte of the first sequence in [begin, bytes.length) that is not UTF-8, or -1 when all is. Strict as RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF. `TextDecoder` refuses the same bytes but cannot say where.
 */
export function invalidUtf8At(bytes: Uint8Array, begin = 0): number {
  const length = bytes.length;
  let at = begin;
  while (at < length) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at++;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return at;
    const following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (at + following >= length) return at;
    // The second byte alone excludes overlong forms, surrogates and code points above U+10FFFF (Unicode table 3-7).
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = bytes[at + 1]!;
    if (second < lowest || second > highest) return at;
    for (let i = 2; i <= following; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return at;
    at += following + 1;
  }
  return -1;
}
