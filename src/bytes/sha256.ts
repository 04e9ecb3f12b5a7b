/**
 * SHA-256 (FIPS 180-4) that takes its message in parts. `crypto.subtle` cannot, and is missing on pages that are not secure,
 * where the CPU backend must still work.
 */
import { createKernelCompress } from './sha256-kernel';
import { BLOCK, compressTyped, INITIAL, type Compress } from './sha256-rounds';

let fastest: Compress | null = null;

export class Sha256 {
  private readonly state = INITIAL.slice();
  private readonly pending = new Uint8Array(BLOCK);
  /** Bytes so far. */
  private length = 0;

  /** By default in WebAssembly, where that may run. */
  constructor(private readonly compress: Compress = (fastest ??= createKernelCompress() ?? compressTyped)) {}

  /** Appends. Returns itself. */
  update(bytes: Uint8Array): this {
    let at = 0;
    const held = this.length % BLOCK;
    this.length += bytes.length;
    if (held > 0) {
      at = Math.min(BLOCK - held, bytes.length);
      this.pending.set(bytes.subarray(0, at), held);
      if (held + at < BLOCK) return this;
      this.compress(this.state, this.pending, 0, BLOCK);
    }
    const end = bytes.length - ((bytes.length - at) % BLOCK);
    if (end > at) this.compress(this.state, bytes, at, end);
    this.pending.set(bytes.subarray(end));
    return this;
  }

  /** The 32 bytes of the digest. Ends the message: nothing may follow. */
  digest(): Uint8Array<ArrayBuffer> {
    // 0x80, zeros up to 8 bytes before the end of a block, and the message's length in bits.
    const tail = new Uint8Array(BLOCK - ((this.length + 8) % BLOCK) + 8);
    tail[0] = 0x80;
    new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(this.length) * 8n);
    this.update(tail);
    const digest = new Uint8Array(32);
    const words = new DataView(digest.buffer);
    this.state.forEach((word, i) => words.setInt32(4 * i, word));
    return digest;
  }

  /** The same in hexadecimal. */
  hex(): string {
    return hexOf(this.digest());
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Hex SHA-256 of one message. */
export function sha256Hex(bytes: Uint8Array): string {
  return new Sha256().update(bytes).hex();
}
