/** encode: merged f32 values in the output dtype, rounded once to nearest even (merging.md section 4). */
import { decodeToF32, encodeFromF32 } from '../bytes/floats';
import type { OutputDtype } from '../bytes/dtypes';

export interface Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Finite values that the output dtype cannot hold and that became infinite. */
  readonly overflow: number;
}

export function encode(merged: Float32Array, dtype: OutputDtype): Encoded {
  const bytes = encodeFromF32(merged, dtype);
  if (dtype === 'F32') return { bytes, overflow: 0 };
  const written = decodeToF32(bytes, dtype);
  let overflow = 0;
  for (let p = 0; p < merged.length; p++) if (Number.isFinite(merged[p]!) && !Number.isFinite(written[p]!)) overflow++;
  return { bytes, overflow };
}
