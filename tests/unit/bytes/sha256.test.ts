/** Sha256 against the platform's own, at every length around the block borders and for every way of cutting. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sha256, sha256Hex } from '../../../src/bytes/sha256';
import { createKernelCompress } from '../../../src/bytes/sha256-kernel';
import { compressTyped } from '../../../src/bytes/sha256-rounds';

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37 + (i >> 3)) & 255);
const expected = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('Sha256', () => {
  it('gives the digests of FIPS 180-4', () => {
    expect(sha256Hex(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(sha256Hex(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('agrees at every length from 0 to 300', () => {
    for (let length = 0; length <= 300; length++) if (sha256Hex(bytesOf(length)) !== expected(bytesOf(length))) throw new Error(`length ${length}`);
  });

  it('does not depend on how the message is cut', () => {
    const bytes = bytesOf(1000);
    for (const part of [1, 3, 55, 56, 63, 64, 65, 127, 128, 999]) {
      const hash = new Sha256();
      for (let at = 0; at < bytes.length; at += part) hash.update(bytes.subarray(at, at + part));
      expect([part, hash.hex()]).toEqual([part, expected(bytes)]);
    }
  });
});

describe('the compression in WebAssembly', () => {
  const kernel = createKernelCompress()!;

  it('gives what typed arrays and the platform give, whatever the length and however the message is cut', () => {
    // Up to beyond what is copied into its memory at once, and every number of blocks over a multiple of four.
    const lengths = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 65_000, max: 140_000 }));
    fc.assert(
      fc.property(lengths, fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 6 }), fc.integer(), (length, parts, seed) => {
        const bytes = Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed, 2_654_435_761) >>> 13) & 255);
        const [fast, typed] = [new Sha256(kernel), new Sha256(compressTyped)];
        let at = 0;
        for (const part of [...parts, length]) {
          for (const hash of [fast, typed]) hash.update(bytes.subarray(at, at + part));
          at += part;
        }
        expect([fast.hex(), typed.hex()]).toEqual([expected(bytes), expected(bytes)]);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps messages apart that take turns', () => {
    const hashes = [1, 2, 3].map(() => new Sha256(kernel));
    for (let part = 0; part < 4; part++) hashes.forEach((hash, i) => hash.update(bytesOf(100 * (i + 1) + part)));
    const whole = (i: number) => Uint8Array.from([0, 1, 2, 3].flatMap((part) => [...bytesOf(100 * (i + 1) + part)]));
    hashes.forEach((hash, i) => expect(hash.hex()).toBe(expected(whole(i))));
  });
});
