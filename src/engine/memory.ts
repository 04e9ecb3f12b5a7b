/** Device buffers: lent from a pool, counted in a ledger, allocation failures as OutOfMemoryError. */
import { OutOfMemoryError } from '../bytes/errors';

/** Sizes are rounded up to this, so that tensors of nearly equal size share a buffer. */
const GRAIN = 1 << 20;

interface Lent {
  readonly buffer: GPUBuffer;
  readonly usage: number;
}

export class Memory {
  private readonly free: Lent[] = [];
  private readonly lent = new Map<GPUBuffer, Lent>();
  /** Bytes of all buffers alive, lent or free, and the most there ever were. */
  bytes = 0;
  peakBytes = 0;
  /** Buffers made; no more come once every size was lent. */
  created = 0;

  /** `budget`: bytes that all buffers together may take; those that nobody uses make way first. */
  constructor(
    private readonly device: GPUDevice,
    private readonly budget = Infinity,
  ) {}

  /** Bytes of the buffers lent at the moment. */
  get lentBytes(): number {
    return [...this.lent.keys()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Buffers lent at the moment. */
  get lentCount(): number {
    return this.lent.size;
  }

  /** A place for buffers that are given back together. */
  loan(): Loan {
    return new Loan(this);
  }

  /** A buffer of at least `size` bytes and at most `mostLent(size)`: a larger one that is free makes way where it stands in the way. Its content is whatever the last borrower left. Give it back with `release`. */
  async borrow(label: string, size: number, usage: number): Promise<GPUBuffer> {
    const wanted = lentSize(size);
    let best = -1;
    for (let i = 0; i < this.free.length; i++) {
      const { buffer, usage: has } = this.free[i]!;
      const fits = has === usage && buffer.size >= wanted && buffer.size <= mostLent(size);
      if (fits && (best < 0 || buffer.size < this.free[best]!.buffer.size)) best = i;
    }
    const found = best >= 0 ? this.free.splice(best, 1)[0]! : await this.create(label, wanted, usage);
    this.lent.set(found.buffer, found);
    return found.buffer;
  }

  release(buffer: GPUBuffer): void {
    const entry = this.lent.get(buffer);
    if (!entry) return;
    this.lent.delete(buffer);
    this.free.push(entry);
  }

  /** Destroys a buffer that is lent. */
  destroy(buffer: GPUBuffer): void {
    if (!this.lent.delete(buffer)) return;
    this.bytes -= buffer.size;
    buffer.destroy();
  }

  /** Destroys what nobody uses, or as much of it as `size` more bytes need to be within the budget, what was used last at last. */
  trim(size?: number): void {
    while (this.free.length > 0 && (size === undefined || this.bytes + size > this.budget)) {
      const { buffer } = this.free.shift()!;
      this.bytes -= buffer.size;
      buffer.destroy();
    }
  }

  dispose(): void {
    this.trim();
    for (const buffer of this.lent.keys()) buffer.destroy();
    this.lent.clear();
    this.bytes = 0;
  }

  private async create(label: string, size: number, usage: number): Promise<Lent> {
    // Unused buffers of other sizes may be what stands in the way: of the budget, or of the device.
    this.trim(size);
    const first = this.bytes + size <= this.budget ? await this.tryCreate(label, size, usage) : null;
    if (first) return first;
    this.trim();
    const second = this.bytes + size <= this.budget ? await this.tryCreate(label, size, usage) : null;
    if (second) return second;
    throw new OutOfMemoryError('device-memory', `no ${size} bytes of device memory for ${label} beside ${this.bytes}`, { actual: size, expected: this.bytes });
  }

  private async tryCreate(label: string, size: number, usage: number): Promise<Lent | null> {
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer({ label, size, usage });
    // Before the answer: others may ask meanwhile.
    this.bytes += size;
    if (await this.device.popErrorScope()) {
      this.bytes -= size;
      buffer.destroy();
      return null;
    }
    this.created++;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
    return { buffer, usage };
  }
}

/** Buffers of one user: what was borrowed is given back at its end, however that comes about. */
export class Loan {
  private readonly buffers = new Set<GPUBuffer>();

  constructor(private readonly memory: Memory) {}

  /** As `Memory.borrow`. */
  async borrow(label: string, size: number, usage: number): Promise<GPUBuffer> {
    const buffer = await this.memory.borrow(label, size, usage);
    this.buffers.add(buffer);
    return buffer;
  }

  /** Several of one usage; where one is not to be had, none is lent. */
  async borrowAll<const Wanted extends readonly (readonly [label: string, size: number])[]>(usage: number, wanted: Wanted): Promise<{ -readonly [Each in keyof Wanted]: GPUBuffer }> {
    const buffers: GPUBuffer[] = [];
    try {
      for (const [label, size] of wanted) buffers.push(await this.borrow(label, size, usage));
    } catch (error) {
      this.release();
      throw error;
    }
    return buffers as { -readonly [Each in keyof Wanted]: GPUBuffer };
  }

  /** Gives back one of them before the others. */
  giveBack(buffer: GPUBuffer): void {
    if (this.buffers.delete(buffer)) this.memory.release(buffer);
  }

  release(): void {
    for (const buffer of this.buffers) this.memory.release(buffer);
    this.buffers.clear();
  }
}

/** Bytes of the buffer that is made for `size` bytes. */
export function lentSize(size: number): number {
  return size <= GRAIN / 16 ? nextPowerOfTwo(Math.max(size, 256)) : Math.ceil(size / GRAIN) * GRAIN;
}

/** Bytes of the largest buffer that is lent for `size` bytes: what groups claim (claims.ts) is what they have at most. */
export function mostLent(size: number): number {
  return Math.floor(lentSize(size) * (1 + 1 / 8));
}

function nextPowerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
