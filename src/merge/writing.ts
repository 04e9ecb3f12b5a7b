/** Writing one output shard: gathered into large pieces, one on its way while the next fills, each digested. */
import type { Hashing } from '../bytes/hashing';
import type { ByteSink } from '../bytes/source';
import { WRITE_BYTES } from './io-sizes';

/** What a writer tells of each piece it hands to the sink. */
export interface WriteWatch {
  writing(bytes: number, write: () => Promise<void>): Promise<void>;
}

export class ShardWriter {
  /** Bytes taken so far, from the start of the file. */
  position = 0;
  /** `pieceDigest` of each piece (the last may be shorter), in order. */
  readonly digests: string[] = [];
  readonly pieceBytes: number;
  private filling: Uint8Array<ArrayBuffer>;
  private spare: Uint8Array<ArrayBuffer> | null = null;
  private filled = 0;
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
    this.filling = new Uint8Array(0);
    this.spare = null;
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
  }
}
