/** UTF-8: the order of names (faults.md "Writing") and strict validation, against the platform's encoder and decoder. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8, invalidUtf8At } from '../../../src/bytes/utf8';

const encode = (text: string) => new TextEncoder().encode(text);

describe('compareUtf8', () => {
  it('puts U+10000 behind U+FFFF, which UTF-16 order does not', () => {
    expect(compareUtf8('\u{10000}', '\uffff')).toBeGreaterThan(0);
    expect('\u{10000}' > '\uffff').toBe(false);
    expect(['\u{10000}', '\uffff', '\ue000', 'é', 'z', 'a', ''].sort(compareUtf8)).toEqual(['', 'a', 'z', 'é', '\ue000', '\uffff', '\u{10000}']);
  });

  it('is the order of the encoded bytes', () => {
    const text = fc.string({ unit: fc.oneof(fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 5 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Math.sign(Buffer.compare(encode(a), encode(b))));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('invalidUtf8At', () => {
  it.each([
    ['overlong, 2 bytes', [0x61, 0xc1, 0xbf], 1],
    ['overlong, 3 bytes', [0xe0, 0x9f, 0xbf], 0],
    ['overlong, 4 bytes', [0xf0, 0x8f, 0xbf, 0xbf], 0],
    ['a surrogate', [0x61, 0x61, 0xed, 0xa0, 0x80], 2],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a lead that does not exist', [0xf5, 0x80, 0x80, 0x80], 0],
    ['a continuation alone', [0x80], 0],
    ['cut', [0x61, 0xe2, 0x82], 1],
    ['the first and last of each length', [0, 0x7f, 0xc2, 0x80, 0xdf, 0xbf, 0xe0, 0xa0, 0x80, 0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80, 0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf], -1],
  ])('%s', (_, bytes, at) => expect(invalidUtf8At(Uint8Array.from(bytes))).toBe(at));

  it('refuses exactly what the platform refuses', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const byte = fc.constantFrom(0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff);
    const valid = (bytes: Uint8Array) => {
      try {
        decoder.decode(bytes);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), (list) => {
        const bytes = Uint8Array.from(list);
        const at = invalidUtf8At(bytes);
        expect(at < 0).toBe(valid(bytes));
        // All before the position is good, and whatever follows, the byte there begins no good sequence.
        if (at >= 0) expect(valid(bytes.subarray(0, at))).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('starts where it is told', () => {
    expect(invalidUtf8At(Uint8Array.of(0xff, 0x61), 1)).toBe(-1);
    expect(invalidUtf8At(Uint8Array.of(0xff, 0x61, 0xff), 1)).toBe(2);
  });
});
