/**
 * Buffers that go round: what one part no longer needs, the next is read or copied into. Memory that is used again costs no page
 * faults, which take longer than the reading itself, and waits for no collection.
 */

/** Smaller ones cost less to make than to keep. */
const LEAST_BYTES = 2 ** 16;
const LEAST_LENT = 2 ** 19;
/** What one may be larger than asked for, of that: made or used again. */
export const MOST_WASTE = 1 / 8;

export class BufferRing {
  /** Buffers made and used again so far, of those that are kept. */
  allocated = 0;
  reused = 0;
  private readonly free: ArrayBuffer[] = [];
  private bytes = 0;
  /** Bytes that were made since the last one that lay here went for them. */
  private owed = 0;
  /** Buffers that one view alone is on, and its bytes. */
  private readonly lent = new WeakMap<ArrayBuffer, number>();
  private readonly leastKept: number;
  /** Sizes are rounded up to these, so that what is about as large serves again. */
  private readonly stepBytes: number;

  /** @param mostBytes of what lies idle; @param leastLent bytes of the smallest run that is worth a buffer of its own */
  constructor(
    private readonly mostBytes: number,
    readonly leastLent = LEAST_LENT,
  ) {
    this.leastKept = Math.min(LEAST_BYTES, leastLent);
    this.stepBytes = Math.max(1, this.leastKept * MOST_WASTE);
  }

  /** Frees what lies idle. */
  clear(): void {
    this.trim(0);
  }

  /**
   * A buffer of `bytes`, or of at most MOST_WASTE more. Where none lies here but half of what may, as many bytes of those that have
   * lain longest go: shapes that no longer come make room for those that do.
   */
  take(bytes: number): ArrayBuffer {
    if (bytes < this.leastKept) return new ArrayBuffer(bytes);
    let best = -1;
    for (const [i, { byteLength }] of this.free.entries()) {
      if (byteLength >= bytes && byteLength <= (1 + MOST_WASTE) * bytes && (best < 0 || byteLength < this.free[best]!.byteLength)) best = i;
    }
    if (best < 0) {
      this.allocated++;
      this.makeRoom(bytes);
      return new ArrayBuffer(this.stepBytes * Math.ceil(bytes / this.stepBytes));
    }
    const [found] = this.free.splice(best, 1) as [ArrayBuffer];
    this.bytes -= found.byteLength;
    this.reused++;
    return found;
  }

  /** The first `bytes` of a buffer that was taken, and moved since: the only view on it, by which `isWhole` and `giveBack` know it. */
  lend(buffer: ArrayBuffer, bytes: number): Uint8Array<ArrayBuffer> {
    this.lent.set(buffer, bytes);
    return new Uint8Array(buffer, 0, bytes);
  }

  /** Whether nobody else looks at the buffer of `view`: it was lent whole. */
  isWhole({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): boolean {
    return byteOffset === 0 && this.lent.get(buffer) === byteLength;
  }

  /** Takes back what was lent, which nobody uses any more; anything else is left alone. */
  giveBack(view: Uint8Array<ArrayBuffer>): void {
    if (this.isWhole(view)) this.give(view.buffer);
  }

  /** Takes a buffer back that nobody uses; those that have lain longest go. One that was moved away is none. */
  give(buffer: ArrayBuffer): void {
    this.lent.delete(buffer);
    if (buffer.byteLength < this.leastKept) return;
    this.free.push(buffer);
    this.bytes += buffer.byteLength;
    this.trim(this.mostBytes);
  }

  private makeRoom(bytes: number): void {
    this.owed += bytes;
    while (this.bytes > this.mostBytes / 2 && this.free[0]!.byteLength <= this.owed) this.owed -= this.dropOldest();
    this.owed = Math.min(this.bytes, this.owed);
  }

  private trim(mostBytes: number): void {
    while (this.bytes > mostBytes) this.dropOldest();
  }

  /** Returns its bytes. */
  private dropOldest(): number {
    const oldest = this.free.shift()!;
    const { byteLength } = oldest;
    this.bytes -= byteLength;
    letGo(oldest);
    return byteLength;
  }
}

/** Frees the memory now, where the platform can; a collection may come much later. */
export function letGo(buffer: ArrayBuffer & { transfer?(bytes: number): ArrayBuffer }): void {
  buffer.transfer?.(0);
}
