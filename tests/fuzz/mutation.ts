/** Byte-level mutation of files that are right, the way coverage-blind fuzzers do it. */
import fc from 'fast-check';

/** What parsers trip over: brackets, digits at the edge of integers, escapes, opcodes, non-UTF-8. */
const TOKENS = [
  ...['{', '}', '[', ']', '"', ':', ',', '\\', '\\u0000', '\\ud800', '-', '.', 'e9', '0', '1', '9007199254740993', '18446744073709551616', '1e999', 'null', 'true'],
  ...['__proto__', '__metadata__', 'constructor', '../', '/', '\\\\', 'C:', '\n', '\r\n', '\t', '  ', '- ', '&a ', '*a', '!!', '# ', '\u0000', '\ufeff', '%2e', '<img onerror=1>'],
].map((text) => new TextEncoder().encode(text));
const RAW = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80], [0x63], [0x52, 0x2e], [0x95, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0, 0, 0, 0x80]].map(
  (bytes) => Uint8Array.from(bytes),
);

type Edit =
  | { readonly kind: 'set' | 'flip'; readonly at: number; readonly byte: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly at: number; readonly from: number; readonly length: number };

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constantFrom('set' as const, 'flip' as const), at: place, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('insert' as const), at: place, bytes: fc.oneof(fc.constantFrom(...TOKENS, ...RAW), fc.uint8Array({ maxLength: 8 })) }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'repeat' as const), at: place, length: fc.integer({ min: 1, max: 64 }), times: fc.constantFrom(1, 2, 3, 200) }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('splice' as const), at: place, from: place, length: fc.integer({ min: 1, max: 200 }) }),
);

function apply(bytes: Uint8Array, one: Edit, other: Uint8Array): Uint8Array {
  const at = Math.floor(one.at * (bytes.length + 1));
  const put = (middle: Uint8Array, skipped: number) => {
    const result = new Uint8Array(at + middle.length + Math.max(0, bytes.length - at - skipped));
    result.set(bytes.subarray(0, at));
    result.set(middle, at);
    result.set(bytes.subarray(at + skipped), at + middle.length);
    return result;
  };
  switch (one.kind) {
    case 'set':
      return put(Uint8Array.of(one.byte), 1);
    case 'flip':
      return put(Uint8Array.of((bytes[at] ?? 0) ^ (1 << (one.byte % 8))), 1);
    case 'insert':
      return put(one.bytes, 0);
    case 'remove':
      return put(new Uint8Array(0), one.length);
    case 'cut':
      return bytes.slice(0, at);
    case 'repeat': {
      const piece = bytes.subarray(at, at + one.length);
      const middle = new Uint8Array(piece.length * one.times);
      for (let i = 0; i < one.times; i++) middle.set(piece, i * piece.length);
      return put(middle, 0);
    }
    case 'splice': {
      const from = Math.floor(one.from * other.length);
      return put(other.subarray(from, from + one.length), one.length);
    }
  }
}

/**
 * One of `corpus` with up to eight edits: bytes set, flipped, removed, repeated up to 200 times, tokens put in, cut short, pieces of
 * another file put in. `repair` mends a length prefix after the edits, half of the time, so that what lies behind it is reached.
 */
export function mutated(corpus: readonly Uint8Array[], repair: (bytes: Uint8Array, before: number) => void = () => {}): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc
    .record({ file: fc.nat(corpus.length - 1), other: fc.nat(corpus.length - 1), edits: fc.array(edit, { maxLength: 8 }), mend: fc.boolean() })
    .map(({ file, other, edits, mend }) => {
      const before = corpus[file]!;
      const bytes = new Uint8Array(edits.reduce((now, one) => apply(now, one, corpus[other]!), before));
      if (mend) repair(bytes, before.length);
      return bytes;
    });
}

/** A `repair` of safetensors: the length in front grows and shrinks with the file. */
export function mendPrefix(bytes: Uint8Array, before: number): void {
  if (bytes.length < 8) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setBigUint64(0, BigInt.asUintN(64, view.getBigUint64(0, true) + BigInt(bytes.length - before)), true);
}
