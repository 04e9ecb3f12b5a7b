/**
 * Bytes of the host onto the device: through a ring of mapped staging buffers, or by writeBuffer where there is little of them or no
 * room for the ring. By the ring 64 MiB took a quarter of the time in Chromium and a third under Node, 1 MiB somewhat longer
 * (docs/engine.md): writeBuffer copies once more.
 */
import { OutOfMemoryError } from '../bytes/errors';
import type { Ledger } from './ledger';
import { lentSize, type Memory } from './memory';
import type { BlocksByPipeline, Pace } from './pace';
import { STAGING } from './usage';

export const PIECE_BYTES = 16 * 2 ** 20;
/** One is filled while another is copied from. */
export const RING = 2;
/** Less than this share of a piece goes by writeBuffer. */
const LITTLE = 1 / 8;
/** No blocks of any pipeline. */
const COPY: BlocksByPipeline = new Map();

export class Uploads {
  private ring: { readonly buffer: GPUBuffer; mapped: Promise<undefined> }[] = [];
  private next = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly device: GPUDevice,
    private readonly memory: Memory,
    private readonly ledger: Ledger,
    private readonly pace: Pace,
    /** Waits for a map, and knows why one does not come. */
    private readonly mapped: (map: Promise<undefined>) => Promise<void>,
    private readonly pieceBytes = PIECE_BYTES,
  ) {}

  /** Bytes of the ring, where there is one, and at most. */
  get bytes(): number {
    return this.ring.reduce((sum, { buffer }) => sum + buffer.size, 0);
  }
  get mostBytes(): number {
    return RING * lentSize(this.pieceBytes);
  }

  /** Buffers of the ring. */
  get count(): number {
    return this.ring.length;
  }

  /**
   * Puts bytes of any length at `offset`, a multiple of 4, ahead of whatever is submitted after; an odd 16-bit count leaves half a
   * word, which is padded with zeros. One at a time.
   */
  write(target: GPUBuffer, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const turn = this.last.then(() => this.send(target, offset, bytes));
    this.last = turn.catch(() => {});
    return turn;
  }

  /** Gives up the ring, for its room, once what is being written is. */
  release(): Promise<void> {
    const turn = this.last.then(() => this.giveUp());
    this.last = turn;
    return turn;
  }

  private giveUp(): void {
    for (const { buffer } of this.ring.splice(0)) this.memory.destroy(buffer);
  }

  private async send(target: GPUBuffer, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (bytes.byteLength < LITTLE * this.pieceBytes || !(await this.hasRing())) {
      upload(this.device.queue, target, offset, bytes);
      return;
    }
    for (let at = 0; at < bytes.byteLength; at += this.pieceBytes) {
      const own = this.ring[this.next++ % this.ring.length]!;
      const piece = bytes.subarray(at, at + this.pieceBytes);
      const whole = Math.ceil(piece.byteLength / 4) * 4;
      await this.mapped(own.mapped);
      const into = new Uint8Array(own.buffer.getMappedRange(0, whole));
      into.set(piece);
      into.fill(0, piece.byteLength);
      own.buffer.unmap();
      const encoder = this.device.createCommandEncoder({ label: 'upload' });
      encoder.copyBufferToBuffer(own.buffer, 0, target, offset + at, whole);
      const sent = performance.now();
      this.device.queue.submit([encoder.finish()]);
      this.ledger.uploads++;
      void this.device.queue.onSubmittedWorkDone().then(() => this.pace.measured(COPY, sent, performance.now()), () => undefined);
      own.mapped = mapForWriting(own.buffer);
    }
  }

  private async hasRing(): Promise<boolean> {
    try {
      while (this.ring.length < RING) {
        const buffer = await this.memory.borrow('upload', this.pieceBytes, STAGING);
        this.ring.push({ buffer, mapped: mapForWriting(buffer) });
      }
      return true;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      this.giveUp();
      return false;
    }
  }
}

/** Resolves once the buffer can be written. A device that goes meanwhile is told by whoever waits for this. */
function mapForWriting(buffer: GPUBuffer): Promise<undefined> {
  const mapped = buffer.mapAsync(GPUMapMode.WRITE);
  mapped.catch(() => {});
  return mapped;
}

/** Writes bytes of any length by writeBuffer: an odd 16-bit count leaves half a word, which is padded with zeros. */
function upload(queue: GPUQueue, buffer: GPUBuffer, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
  const whole = bytes.byteLength & ~3;
  if (whole > 0) queue.writeBuffer(buffer, offset, bytes, 0, whole);
  if (whole < bytes.byteLength) {
    const last = new Uint8Array(4);
    last.set(bytes.subarray(whole));
    queue.writeBuffer(buffer, offset + whole, last);
  }
}
