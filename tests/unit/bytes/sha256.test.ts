/** Sha256 against the platform's own, at every length around the block borders and for every way of cutting. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha256, sha256Hex } from '../../../src/bytes/sha256';

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
