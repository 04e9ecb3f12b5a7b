/** Where the parts of a slot are between passes: kept by the crew, or read again for each pass. */
import { bytesPerValue } from '../bytes/dtypes';
import type { ReadSegment } from '../merge/backend';
import type { Piece } from './layout';
import type { Crew, PartPasses } from './part-types';

type Inputs = readonly (Uint8Array<ArrayBuffer> | null)[];
/** Sees the inputs of a part that was read, before they are handed over. */
export type Look = (piece: Piece, inputs: Inputs) => void;

export class PartStore {
  private readonly kept = new Map<Piece, PartPasses>();
  /** Parts of which only what a selection has set aside is left. */
  private readonly shed = new Map<Piece, PartPasses>();
  /** The segment read last: its parts are asked for one after the other. */
  private last: { readonly segment: Piece['segment']; readonly inputs: Inputs } | null = null;

  /** @param resident whether parts are kept from the first pass to the last */
  constructor(
    private readonly crew: Crew,
    private readonly read: ReadSegment,
    private readonly name: string,
    readonly resident: boolean,
  ) {}

  /** The part of `piece`, read when it is not there. Parts are opened one after the other, in their order. */
  async open(piece: Piece, look?: Look): Promise<PartPasses> {
    const known = this.kept.get(piece);
    if (known) return known;
    const { whole, inputs } = await this.inputsOf(piece);
    look?.(piece, inputs);
    const part = this.crew.load(piece.spec, inputs);
    if (piece.isLast && piece.offset > 0) for (const bytes of whole) if (bytes !== null) this.crew.copied(bytes);
    if (this.resident) this.kept.set(piece, part);
    return part;
  }

  /** Bytes of the elements [first, first + count) of a part, `first` even, read for themselves. */
  readWithin({ segment, spec, offset }: Piece, first: number, count: number): Promise<Inputs> {
    return this.readSegment({ ...segment, first: segment.first + offset + first, count }, spec.dtypes);
  }

  /** A pass over an opened part has ended. Of one that is not kept, what a selection has set aside is left where `sheds` is said. */
  close(piece: Piece, part: PartPasses, sheds = false): void {
    if (this.kept.has(piece)) return;
    if (!sheds) return part.release();
    part.shed();
    this.shed.set(piece, part);
  }

  /** What is left of a part; null when nothing is. */
  shedPart(piece: Piece): PartPasses | null {
    return this.shed.get(piece) ?? null;
  }

  /** Lets go what is left of parts. */
  forget(): void {
    for (const part of this.shed.values()) part.release();
    this.shed.clear();
  }

  /** No further pass over the part follows. */
  drop(piece: Piece, part: PartPasses): void {
    this.kept.delete(piece);
    part.release();
  }

  release(): void {
    this.forget();
    for (const part of this.kept.values()) part.release();
    this.kept.clear();
  }

  /** Of the piece, and of the whole segment that they lie in. */
  private async inputsOf({ segment, spec, offset, isLast }: Piece): Promise<{ readonly whole: Inputs; readonly inputs: Inputs }> {
    const whole = this.last?.segment === segment ? this.last.inputs : await this.readSegment(segment, spec.dtypes);
    const isWhole = isLast && offset === 0;
    this.last = isLast ? null : { segment, inputs: whole };
    if (isWhole) return { whole, inputs: whole };
    const inputs = whole.map((bytes) => {
      if (bytes === null) return null;
      const width = bytes.byteLength / segment.count;
      return bytes.subarray(offset * width, (offset + spec.count) * width);
    });
    return { whole, inputs };
  }

  /** Throws RangeError when a read does not give the segment's values. */
  private readSegment(segment: Piece['segment'], dtypes: Piece['spec']['dtypes']): Promise<Inputs> {
    return Promise.all(
      dtypes.map(async (dtype, input) => {
        if (dtype === null) return null;
        const bytes = await this.read(segment, input);
        const wanted = segment.count * bytesPerValue(dtype);
        if (bytes.byteLength !== wanted) throw new RangeError(`${this.name}, input ${input}: ${bytes.byteLength} bytes instead of ${wanted}`);
        return bytes;
      }),
    );
  }
}
