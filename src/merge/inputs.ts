/** From what a file holds to the values of an input: as they are, or with an adapter's product added on the way. */
import { decodeToF32 } from '../bytes/floats';
import { bytesPerValue } from '../bytes/dtypes';
import { StudioError } from '../bytes/errors';
import { touchedRows } from './adapting';
import type { AdaptRequest } from './adapting';
import type { ElementRange, Slot } from './backend';
import type { AdaptedValues, ByteRange, FactorRange, GatheredRows, InputRange } from './plan-types';

export type Adapt = (request: AdaptRequest) => Promise<Uint8Array<ArrayBuffer>>;

/** Elements of an input: the bytes to read, in this order, and what is to be done with them. */
export interface InputPart {
  readonly ranges: readonly ByteRange[];
  /** Null: the bytes are the values. `first` is that of the part. */
  readonly adapted: AdaptedValues | null;
}

/** Elements [first, first + count) of a slot in one input, whose whole part of the slot is `whole`. */
export function inputPart({ inputs }: Slot, input: number, whole: InputRange, first: number, count: number): InputPart {
  const { adapted, gathered, checkpoint, shard, begin } = whole;
  const width = bytesPerValue(adapted?.dtype ?? inputs[input]!);
  const rangeOf = (from: number, to: number) => ({ checkpoint, shard, begin: begin + from * width, end: begin + to * width });
  if (gathered) return { ranges: gatheredElements(gathered, first, first + count).map(({ first: from, end }) => rangeOf(from, end)), adapted: null };
  return { ranges: [rangeOf(first, first + count)], adapted: adapted ? { ...adapted, first: adapted.first + first } : null };
}

/** Where the slot's elements [first, end) are in the model's own order. */
function gatheredElements({ columns, runs }: GatheredRows, first: number, end: number): ElementRange[] {
  let low = 0;
  for (let high = runs.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((runs[middle]!.first + runs[middle]!.count) * columns <= first) low = middle + 1;
    else high = middle;
  }
  const found: ElementRange[] = [];
  for (let at = low; at < runs.length && runs[at]!.first * columns < end; at++) {
    const run = runs[at]!;
    const from = Math.max(first, run.first * columns);
    const to = Math.min(end, (run.first + run.count) * columns);
    const moved = (run.row - run.first) * columns;
    found.push({ first: from + moved, end: to + moved });
  }
  return found;
}

/** Bytes of decoded factors that are kept: those of a few tensors, since chunks of one tensor come one after the other. */
const KEPT_BYTES = 64 * 2 ** 20;

/** Forms the values of adapters, each factor read once as long as it is in use. */
export class InputValues {
  private readonly factors = new Map<string, Promise<Float32Array<ArrayBuffer>>>();
  private kept = 0;

  constructor(
    private readonly read: (range: ByteRange) => Promise<Uint8Array<ArrayBuffer>>,
    private readonly adapt: Adapt = () => Promise.reject(new StudioError('internal', 'no-backend', 'values of an adapter are formed by a backend')),
  ) {}

  /** The values of a part whose `ranges` have been read: `bytes`, one after the other. */
  async of({ adapted }: InputPart, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    if (adapted === null) return bytes;
    const { dtype, first, columns, rank, scale } = adapted;
    const [left, right] = await Promise.all([this.factor(adapted.left), this.factor(adapted.right)]);
    const rows = touchedRows(first, bytes.length / bytesPerValue(dtype), columns);
    return this.adapt({ base: bytes, dtype, first, columns, rank, scale, left: left.slice(rows.begin * rank, rows.end * rank), right });
  }

  /** Row-major as the product takes it. */
  private factor(factor: FactorRange): Promise<Float32Array<ArrayBuffer>> {
    const key = JSON.stringify(factor);
    const known = this.factors.get(key);
    if (known) return known;
    const size = 4 * factor.rows * factor.columns;
    if (this.kept + size > KEPT_BYTES) {
      this.factors.clear();
      this.kept = 0;
    }
    this.kept += size;
    const loaded = this.load(factor);
    this.factors.set(key, loaded);
    loaded.catch(() => this.factors.delete(key));
    return loaded;
  }

  private async load({ range, dtype, rows, columns, isTransposed }: FactorRange): Promise<Float32Array<ArrayBuffer>> {
    const stored = decodeToF32(await this.read(range), dtype);
    if (!isTransposed) return stored;
    const turned = new Float32Array(stored.length);
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) turned[row * columns + column] = stored[column * rows + row]!;
    return turned;
  }
}
