/** Copying rows and whole tensors: streamed in pieces, converted where the output has another dtype. */
import { bytesPerValue } from '../bytes/dtypes';
import type { Dtype, MergedDtype, OutputDtype } from '../bytes/dtypes';
import { decodeToF32, encodeFromF32 } from '../bytes/floats';
import type { InputPart } from './inputs';
import type { ByteRange, CopyPart, InputRange } from './plan-types';
import type { Sources } from './reading';

/**
 * Hands the part's bytes to `write` in the output dtype, in order; one piece is read while the one before it is written. Resolves
 * to how many finite values became infinite.
 */
export async function copyPart(part: CopyPart, sources: Sources, write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<number> {
  let overflow = 0;
  const pieces = piecesOf(part.range, sources.copyBytes);
  const start = (i: number) => {
    const bytes = sources.readPart(pieceOf(part.range, pieces[i]!));
    // Met when its turn comes, or never when an earlier piece fails.
    bytes.catch(() => {});
    return bytes;
  };
  let next = pieces.length > 0 ? start(0) : null;
  for (let i = 0; next; i++) {
    const bytes: Uint8Array<ArrayBuffer> = await next;
    next = i + 1 < pieces.length ? start(i + 1) : null;
    const converted = convert(bytes, part.dtype, part.outDtype);
    overflow += converted.overflow;
    await write(converted.bytes);
    sources.done(bytes);
  }
  return overflow;
}

/** What a piece of a part's range is read and formed from. */
function pieceOf({ adapted, begin }: InputRange, piece: ByteRange): InputPart {
  const first = adapted ? adapted.first + (piece.begin - begin) / bytesPerValue(adapted.dtype) : 0;
  return { ranges: [piece], adapted: adapted ? { ...adapted, first } : null };
}

/** A range in pieces of `each` bytes, which is a multiple of 8 so that no value is cut. */
export function piecesOf({ checkpoint, shard, ...range }: ByteRange, each: number): ByteRange[] {
  const count = Math.ceil((range.end - range.begin) / each);
  return Array.from({ length: count }, (_, i) => ({
    checkpoint,
    shard,
    begin: range.begin + i * each,
    end: Math.min(range.end, range.begin + (i + 1) * each),
  }));
}

/** Through f32, rounded once to nearest even (merging.md section 1). Only floating dtypes have an output dtype of another kind. */
function convert(bytes: Uint8Array<ArrayBuffer>, dtype: Dtype, outDtype: Dtype): { bytes: Uint8Array<ArrayBuffer>; overflow: number } {
  if (dtype === outDtype) return { bytes, overflow: 0 };
  const values = decodeToF32(bytes, dtype as MergedDtype);
  const converted = encodeFromF32(values, outDtype as OutputDtype);
  const before = dtype === 'F64' ? nonfinite(new Float64Array(bytes.slice().buffer)) : nonfinite(values);
  return { bytes: converted, overflow: nonfinite(decodeToF32(converted, outDtype as OutputDtype)) - before };
}

function nonfinite(values: Float32Array | Float64Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) count++;
  return count;
}
