/** adapt: rows of an adapted tensor, rank by rank over the columns. Twin of reference/adapt.ts, equal to the bit. */
import { joinBytes } from '../bytes/join';
import { requestElements, touchedRows } from '../merge/adapting';
import type { AdaptRequest } from '../merge/adapting';
import { decodeBlock, rawOf } from './decode';
import { BLOCK, createLane } from './scratch';

const { fround } = Math;
const QUIET_NAN = 0x7fc00000;
/** Multiplications between two pauses: some 50 ms. */
const BETWEEN_PAUSES = 2 ** 25;

/** What forming takes: multiplications. */
export const workOf = (request: AdaptRequest): number => requestElements(request) * request.rank;

/** The bytes of `request` in F32; `pause` is awaited now and then. */
export async function adapt(request: AdaptRequest, pause: () => Promise<void>): Promise<Uint8Array<ArrayBuffer>> {
  const formed: Uint8Array[] = [];
  for (const piece of splitRequest(request, Math.ceil(workOf(request) / BETWEEN_PAUSES))) {
    formed.push(form(piece));
    await pause();
  }
  return joinBytes(formed);
}

/** `request` as at most so many requests, one at least, of whole rows but for its own first and last; in order, each with bytes of its own. */
export function splitRequest(request: AdaptRequest, pieces: number): AdaptRequest[] {
  const { base, first, columns, rank, left } = request;
  const elements = requestElements(request);
  const width = base.byteLength / elements;
  const rows = touchedRows(first, elements, columns);
  const perPiece = Math.ceil((rows.end - rows.begin) / Math.max(1, pieces));
  if (elements === 0 || perPiece >= rows.end - rows.begin) return [request];
  const split: AdaptRequest[] = [];
  for (let row = rows.begin; row < rows.end; row += perPiece) {
    const [from, to] = [Math.max(first, row * columns), Math.min(first + elements, (row + perPiece) * columns)];
    const own = left.slice((row - rows.begin) * rank, (row - rows.begin + perPiece) * rank);
    split.push({ ...request, base: base.slice((from - first) * width, (to - first) * width), first: from, left: own });
  }
  return split;
}

/** The bytes of `request` in F32, at one go. */
export function form(request: AdaptRequest): Uint8Array<ArrayBuffer> {
  const { base, dtype, first, columns, rank, scale, left, right } = request;
  const elements = requestElements(request);
  const raw = rawOf(base, dtype);
  const formed = new Float32Array(elements);
  const bits = new Uint32Array(formed.buffer);
  const sums = new Float32Array(BLOCK);
  const theta = createLane();
  const firstRow = Math.floor(first / columns);
  for (let p = 0; p < elements; ) {
    const row = Math.floor((first + p) / columns) - firstRow;
    const column = (first + p) % columns;
    const n = Math.min(BLOCK, columns - column, elements - p);
    sumProducts(left, row * rank, right, columns, column, rank, sums, n);
    decodeBlock(raw, p, n, theta);
    addScaled(theta.f32, sums, scale, formed, bits, p, n);
    p += n;
  }
  return new Uint8Array(formed.buffer);
}

function sumProducts(left: Float32Array, leftAt: number, right: Float32Array, columns: number, column: number, rank: number, sums: Float32Array, n: number): void {
  sums.fill(0, 0, n);
  for (let r = 0; r < rank; r++) {
    const factor = left[leftAt + r]!;
    const at = r * columns + column;
    for (let j = 0; j < n; j++) sums[j] = fround(sums[j]! + fround(factor * right[at + j]!));
  }
}

function addScaled(theta: Float32Array, sums: Float32Array, scale: number, formed: Float32Array, bits: Uint32Array, at: number, n: number): void {
  for (let j = 0; j < n; j++) {
    const value = fround(theta[j]! + fround(scale * sums[j]!));
    formed[at + j] = value;
    if (Number.isNaN(value)) bits[at + j] = QUIET_NAN;
  }
}
