/** Was a source the same from the first read to the last? A few runs of what was read are kept and read again at the end. */
import { drawsFor } from './random';

/** Runs kept of a source, and bytes of each. */
const RUNS = 16;
const RUN_BYTES = 512;

interface Kept {
  readonly begin: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What one source gave, drawn evenly from all its reads. */
export class SourceProbe {
  private readonly kept: Kept[] = [];
  private reads = 0;
  private readonly draw: (below: number) => number;

  /** `name` seeds what is drawn. */
  constructor(name: string) {
    this.draw = drawsFor(`probe ${name}`);
  }

  /** Bytes read at `begin`, from the start of the file. */
  note(begin: number, bytes: Uint8Array): void {
    const place = this.reads++ < RUNS ? this.kept.length : this.draw(this.reads);
    if (place >= RUNS || bytes.length === 0) return;
    const length = Math.min(RUN_BYTES, bytes.length);
    const at = this.draw(bytes.length - length + 1);
    this.kept[place] = { begin: begin + at, bytes: bytes.slice(at, at + length) };
  }

  /** Where the source first gives other bytes than it gave, from the start of the file; null where it gives the same. */
  async changedAt(read: (begin: number, end: number) => Promise<Uint8Array>): Promise<number | null> {
    for (const { begin, bytes } of [...this.kept].sort((a, b) => a.begin - b.begin)) {
      const now = await read(begin, begin + bytes.length);
      const place = bytes.findIndex((byte, i) => byte !== now[i]);
      if (place >= 0) return begin + place;
    }
    return null;
  }
}
