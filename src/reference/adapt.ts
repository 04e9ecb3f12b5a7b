/** adapt: an element at a time, as AdaptRequest defines it. */
import { decodeToF32 } from '../bytes/floats';
import { requestElements } from '../merge/adapting';
import type { AdaptRequest } from '../merge/adapting';

const { fround } = Math;
/** The one NaN that is written. */
const QUIET_NAN = 0x7fc00000;

/** The bytes of `request` in F32. */
export function adapt(request: AdaptRequest): Uint8Array<ArrayBuffer> {
  const { base, dtype, first, columns, rank, scale, left, right } = request;
  const theta = decodeToF32(base, dtype);
  const formed = new Float32Array(requestElements(request));
  const bits = new Uint32Array(formed.buffer);
  const firstRow = Math.floor(first / columns);
  for (let p = 0; p < formed.length; p++) {
    const row = Math.floor((first + p) / columns) - firstRow;
    const column = (first + p) % columns;
    let sum = 0;
    for (let r = 0; r < rank; r++) sum = fround(sum + fround(left[row * rank + r]! * right[r * columns + column]!));
    formed[p] = fround(theta[p]! + fround(scale * sum));
    if (Number.isNaN(formed[p]!)) bits[p] = QUIET_NAN;
  }
  return new Uint8Array(formed.buffer);
}
