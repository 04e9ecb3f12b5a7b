/** Buffers that go round between threads: what one part no longer needs, the next is copied into. */

/** Smaller ones cost less to make than to keep. */
const LEAST_BYTES = 2 ** 16;
/** What one may be larger than asked for, of that: made or used again. */
export const MOST_WASTE = 1 / 8;
/** Sizes are rounded up to these, so that what is about as large serves again. */
const STEP_BYTES = LEAST_BYTES * MOST_WASTE;

export class BufferRing {
  /** Buffers made and used again so far, of LEAST_BYTES or more. */
  allocated = 0;
  reused = 0;
  private readonly free: ArrayBuffer[] = [];
  private bytes = 0;

  /** @param mostBytes of what lies idle */
  constructor(private mostBytes: number) {}

  /** From now on no more than `mostBytes` lie idle. */
  keep(mostBytes: number): void {
    this.mostBytes = mostBytes;
    this.trim();
  }

  /** A buffer of `bytes`, or of at most MOST_WASTE more. */
  take(bytes: number): ArrayBuffer {
    if (bytes < LEAST_BYTES) return new ArrayBuffer(bytes);
    let best = -1;
    for (const [i, { byteLength }] of this.free.entries()) {
      if (byteLength >= bytes && byteLength <= (1 + MOST_WASTE) * bytes && (best < 0 || byteLength < this.free[best]!.byteLength)) best = i;
    }
    if (best < 0) {
      this.allocated++;
      return new ArrayBuffer(STEP_BYTES * Math.ceil(bytes / STEP_BYTES));
    }
    const [found] = this.free.splice(best, 1) as [ArrayBuffer];
    this.bytes -= found.byteLength;
    this.reused++;
    return found;
  }

  /** Takes a buffer back that nobody uses; those that have lain longest go. One that was moved away is none. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength < LEAST_BYTES) return;
    this.free.push(buffer);
    this.bytes += buffer.byteLength;
    this.trim();
  }

  private trim(): void {
    while (this.bytes > this.mostBytes) this.bytes -= this.free.shift()!.byteLength;
  }
}
