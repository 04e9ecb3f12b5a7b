/**
 * SHA-256 (FIPS 180-4) that takes its message in parts. `crypto.subtle` cannot, and is missing on pages that are not secure,
 * where the CPU backend must still work.
 */

/** The first 32 bits of the fractional parts of `root(prime)` for the first `count` primes. */
function primeFractions(count: number, root: (prime: number) => number): Uint32Array {
  const fractions = new Uint32Array(count);
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.some((prime) => n % prime === 0)) continue;
    const value = root(n);
    fractions[primes.length] = (value - Math.floor(value)) * 2 ** 32;
    primes.push(n);
  }
  return fractions;
}
const INITIAL = primeFractions(8, Math.sqrt);
const ROUND = primeFractions(64, Math.cbrt);
const BLOCK = 64;

export class Sha256 {
  private readonly state = INITIAL.slice();
  private readonly schedule = new Uint32Array(64);
  private readonly pending = new Uint8Array(BLOCK);
  /** Bytes so far. */
  private length = 0;

  /** Appends. Returns itself. */
  update(bytes: Uint8Array): this {
    let at = 0;
    const held = this.length % BLOCK;
    this.length += bytes.length;
    if (held > 0) {
      at = Math.min(BLOCK - held, bytes.length);
      this.pending.set(bytes.subarray(0, at), held);
      if (held + at < BLOCK) return this;
      this.block(this.pending, 0);
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.block(bytes, at);
    this.pending.set(bytes.subarray(at));
    return this;
  }

  /** The digest in hexadecimal. Ends the message: nothing may follow. */
  hex(): string {
    // 0x80, zeros up to 8 bytes before the end of a block, and the message's length in bits.
    const tail = new Uint8Array(BLOCK - ((this.length + 8) % BLOCK) + 8);
    tail[0] = 0x80;
    new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(this.length) * 8n);
    this.update(tail);
    return Array.from(this.state, (word) => word.toString(16).padStart(8, '0')).join('');
  }

  private block(bytes: Uint8Array, begin: number): void {
    const w = this.schedule;
    for (let t = 0; t < 16; t++) {
      const at = begin + 4 * t;
      w[t] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    }
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15]!;
      const y = w[t - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
    }
    const state = this.state;
    let a = state[0]! | 0;
    let b = state[1]! | 0;
    let c = state[2]! | 0;
    let d = state[3]! | 0;
    let e = state[4]! | 0;
    let f = state[5]! | 0;
    let g = state[6]! | 0;
    let h = state[7]! | 0;
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[t]! + w[t]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h;
  }
}

/** Hex SHA-256 of one message. */
export function sha256Hex(bytes: Uint8Array): string {
  return new Sha256().update(bytes).hex();
}
