/**
 * A strict JSON reader over bytes for headers and shard indexes: the caller asks for the value it expects, so nothing is
 * built that is not wanted, nothing recurses, and every refusal has a position. `JSON.parse` is not enough: it drops
 * duplicate keys, rounds integers, takes 2e0 for 2 and loses `__proto__` (faults.md, "order of checks").
 */
import { invalidUtf8At } from '../../bytes/utf8';
import { MAX_SKIPPED_DEPTH } from './limits';
import { clip, malformed } from './malformed';
import type { MalformedDetail, MalformedReason } from './malformed';
import { unescapeUtf8 } from './unescape';

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;

export class JsonReader {
  /** Tensor that refusals name, set by the caller while it reads an entry. */
  tensor: string | undefined;
  private at: number;
  private readonly utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

  /** Reads from `begin` on. Refuses bytes that are not UTF-8 and a byte order mark. Positions in errors are indexes of `bytes`. */
  constructor(
    private readonly bytes: Uint8Array,
    begin: number,
    private readonly file: string,
  ) {
    this.at = begin;
    const bad = invalidUtf8At(bytes, begin);
    if (bad >= 0) this.refuse('not-utf8', `byte ${bad} is not UTF-8`, { actual: bad });
    if (bytes[begin] === 0xef && bytes[begin + 1] === 0xbb && bytes[begin + 2] === 0xbf) {
      this.refuse('json-bom', 'the JSON starts with a byte order mark');
    }
  }

  refuse(reason: MalformedReason, message: string, detail: MalformedDetail = {}): never {
    throw malformed(this.file, reason, message, { tensor: this.tensor, ...detail });
  }

  /** The next value must be of `kind`, else the refusal is `reason` (or the syntax error that is there). */
  expect(kind: JsonKind, reason: MalformedReason, what: string): void {
    const actual = this.kind();
    if (actual !== kind) this.refuse(reason, `${what} must be ${kind}, found ${actual}`, { expected: kind, actual });
  }

  /** What the next value is, by its first byte; keywords are read in full. */
  kind(): JsonKind {
    const byte = this.next();
    if (byte === 0x7b) return 'object';
    if (byte === 0x5b) return 'array';
    if (byte === QUOTE) return 'string';
    if (byte === 0x2d || (byte >= ZERO && byte <= NINE)) return 'number';
    if (this.isWord('null')) return 'null';
    if (this.isWord('true') || this.isWord('false')) return 'boolean';
    return this.unexpected('a value');
  }

  /** Reads a `null` that `kind` has found. */
  null(): void {
    this.at += 4;
  }

  /** Reads an object; `member` must consume the value of its key. More than `limit` members are refused. */
  members(limit: number, member: (key: string) => void): void {
    this.at++;
    if (this.next() === 0x7d) {
      this.at++;
      return;
    }
    for (let count = 1; ; count++) {
      if (count > limit) {
        this.refuse('too-many-entries', `more than ${limit} entries`, { expected: limit, actual: `more than ${limit}` });
      }
      if (this.next() !== QUOTE) this.unexpected('a name in double quotes');
      const key = this.string();
      if (this.next() !== COLON) this.unexpected('`:`');
      this.at++;
      member(key);
      const byte = this.next();
      if (byte !== COMMA && byte !== 0x7d) this.unexpected('`,` or `}`');
      this.at++;
      if (byte === 0x7d) return;
    }
  }

  /** Reads an array; `item` must consume one value. */
  items(item: () => void): void {
    this.at++;
    if (this.next() === 0x5d) {
      this.at++;
      return;
    }
    for (;;) {
      item();
      const byte = this.next();
      if (byte !== COMMA && byte !== 0x5d) this.unexpected('`,` or `]`');
      this.at++;
      if (byte === 0x5d) return;
    }
  }

  /** Reads a string that `kind` has found, unescaped. */
  string(): string {
    const begin = this.at + 1;
    let end = begin;
    let ascii = true;
    for (; ; end++) {
      const byte = this.bytes[end];
      if (byte === undefined) return this.unexpectedEnd();
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) return this.escapedString(begin);
      if (byte < 0x20) this.controlCharacter(byte, end);
      if (byte >= 0x80) ascii = false;
    }
    this.at = end + 1;
    return this.text(this.bytes.subarray(begin, end), ascii);
  }

  private escapedString(begin: number): string {
    let end = begin;
    while (this.bytes[end] !== QUOTE) {
      const byte = this.bytes[end];
      if (byte === undefined) return this.unexpectedEnd();
      if (byte < 0x20) this.controlCharacter(byte, end);
      end += byte === BACKSLASH ? 2 : 1;
    }
    const plain = unescapeUtf8(this.bytes, begin, end);
    if (typeof plain === 'number') return this.refuse('json-escape', `invalid escape at byte ${plain}`, { actual: `byte ${plain}` });
    this.at = end + 1;
    return this.text(plain, false);
  }

  /** Decodes valid UTF-8; short ASCII (nearly every name) without the cost of a call into the decoder. */
  private text(bytes: Uint8Array, ascii: boolean): string {
    if (!ascii || bytes.length > 128) return this.utf8.decode(bytes);
    let text = '';
    for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
    return text;
  }

  /** Reads a number that `kind` has found, which must be an integer in plain form in [0, 2^53). */
  integer(): number {
    const written = this.number();
    if (!/^(?:0|[1-9]\d*)$/.test(written)) {
      return this.refuse('integer-not-plain', `${clip(written)} is not an integer in plain form`, {
        expected: 'an integer, digits only',
        actual: written,
      });
    }
    const value = Number(written);
    if (value > Number.MAX_SAFE_INTEGER) {
      return this.refuse('integer-too-large', `${clip(written)} is over 2^53 - 1`, { expected: Number.MAX_SAFE_INTEGER, actual: written });
    }
    return value;
  }

  /** The characters a number may have, as written. */
  private number(): string {
    const begin = this.at;
    while (isNumberByte(this.bytes[this.at])) this.at++;
    return this.text(this.bytes.subarray(begin, this.at), true);
  }

  /** Reads past one value of any kind, nested at most MAX_SKIPPED_DEPTH deep. */
  skip(depth = 0): void {
    if (depth > MAX_SKIPPED_DEPTH) {
      this.refuse('json-too-deep', `nested more than ${MAX_SKIPPED_DEPTH} deep`, { expected: MAX_SKIPPED_DEPTH, actual: `more than ${MAX_SKIPPED_DEPTH}` });
    }
    switch (this.kind()) {
      case 'object':
        return this.members(Infinity, () => this.skip(depth + 1));
      case 'array':
        return this.items(() => this.skip(depth + 1));
      case 'string':
        this.string();
        return;
      case 'number': {
        const written = this.number();
        if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(written)) {
          this.refuse('json-syntax', `${clip(written)} is not a number`, { expected: 'a number', actual: written });
        }
        return;
      }
      default:
        this.at += this.isWord('false') ? 5 : 4;
    }
  }

  /** Nothing but white space may follow. */
  end(): void {
    const byte = this.next();
    if (byte < 0) return;
    this.refuse('json-trailing', `unexpected ${describe(byte)} after the JSON at byte ${this.at}`, {
      expected: 'the end',
      actual: `${describe(byte)} at byte ${this.at}`,
    });
  }

  /** The first byte after white space, or -1 at the end. */
  private next(): number {
    for (;;) {
      const byte = this.bytes[this.at];
      if (byte === undefined) return -1;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at++;
    }
  }

  private isWord(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at + i] !== word.charCodeAt(i)) return false;
    return true;
  }

  private unexpected(expected: string): never {
    const byte = this.next();
    if (byte < 0) return this.unexpectedEnd();
    const actual = `${describe(byte)} at byte ${this.at}`;
    return this.refuse('json-syntax', `expected ${expected}, found ${actual}`, { expected, actual });
  }

  private unexpectedEnd(): never {
    return this.refuse('json-truncated', `the JSON ends inside a value, at byte ${this.bytes.length}`, { actual: `byte ${this.bytes.length}` });
  }

  private controlCharacter(byte: number, at: number): never {
    return this.refuse('json-control-character', `raw control character ${describe(byte)} in a string at byte ${at}`, {
      actual: `${describe(byte)} at byte ${at}`,
    });
  }
}

function describe(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `\`${String.fromCharCode(byte)}\`` : `0x${byte.toString(16).padStart(2, '0')}`;
}

/** Digits, signs, point, e and E. */
function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= ZERO && byte <= NINE) || byte === 0x2d || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;
}
