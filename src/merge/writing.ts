/** Writing one output shard: gathered into large pieces, one on its way while the next fills, each digested. */
import { letGo } from '../bytes/buffer-ring';
import type { Hashing } from '../bytes/hashing';
import type { ByteSink } from '../bytes/source';
import { WRITE_BYTES } from './io-sizes';

/** What a writer tells of each piece it hands to the sink. */
export interface WriteWatch {
  writing(bytes: number, write: () => Promise<void>): Promise<void>;
}

/**
 * Chromium copies what is written, and its collector does not know how large these copies are: hundreds of MiB of them wait for it.
 * Arrays of the same size that are kept for a few pieces tell it. Nothing is ever put into them, so they take no memory (a merge of
 * 1.1B parameters peaked at 759 MiB with them, at 889 without).
 */
const TOLD_PIECES = 4;

export class ShardWriter {
  /** Bytes taken so far, from the start of the file. */
  position = 0;
  /** `pieceDigest` of each piece (the last may be shorter), in order. */
  readonly digests: string[] = [];
  readonly pieceBytes: number;
  private filling: Uint8Array<ArrayBuffer>;
  private spare: Uint8Array<ArrayBuffer> | null = null;
  private filled = 0;
  /** As much memory as was written, never touched: see TOLD_PIECES. */
  private told: readonly ArrayBuffer[] = [];
  /** The piece on its way, and everything before it. */
  private writing: Promise<void> = Promise.resolve();

  /** `fileBytes`: of the whole file, so that a small one takes little memory. */
  constructor(
    private readonly sink: ByteSink,
    private readonly watch: WriteWatch,
    private readonly digest: Hashing['piece'],
    fileBytes: number,
    pieceBytes = WRITE_BYTES,
  ) {
    this.pieceBytes = Math.max(1, Math.min(pieceBytes, fileBytes));
    this.filling = new Uint8Array(this.pieceBytes);
  }

  /** Appends a copy; `bytes` are the caller's again when this resolves. Waits while two pieces are full. Rejects once a write has failed. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + this.filling.length - this.filled);
      this.filling.set(taken, this.filled);
      this.filled += taken.length;
      this.position += taken.length;
      at += taken.length;
      if (this.filled === this.filling.length) await this.flush();
    }
  }

  /** Everything taken is with the sink when this resolves; nothing may follow. Gives its memory back: many may wait to be closed. */
  async finish(): Promise<void> {
    if (this.filled > 0) await this.flush();
    await this.writing;
    letGo(this.filling.buffer);
    if (this.spare) letGo(this.spare.buffer);
    this.filling = new Uint8Array(0);
    this.spare = null;
    this.told = [];
  }

  /** Gives the file up: waits for the write under way, then aborts. Never rejects. */
  async abort(): Promise<void> {
    await this.writing.catch(() => {});
    await this.sink.abort().catch(() => {});
  }

  /** Makes the file final. */
  close(): Promise<void> {
    return this.sink.close();
  }

  private async flush(): Promise<void> {
    const full = this.filling;
    const piece = full.subarray(0, this.filled);
    await this.writing;
    this.filling = this.spare ?? new Uint8Array(this.pieceBytes);
    this.filled = 0;
    this.spare = full;
    this.writing = this.send(piece);
    // A failure is met by whoever writes next.
    this.writing.catch(() => {});
  }

  private async send(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    const [digest] = await Promise.all([this.digest(piece), this.watch.writing(piece.length, () => this.sink.write(piece))]);
    this.digests.push(digest);
    this.told = [new ArrayBuffer(piece.length), ...this.told.slice(0, TOLD_PIECES - 1)];
  }
}
