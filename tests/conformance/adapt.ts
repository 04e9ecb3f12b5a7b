/** adapt: theta + scale * (P Q) as AdaptRequest defines it, bit for bit on every backend. */
import { describe, expect, it } from 'vitest';
import type { MergedDtype } from '../../src/bytes/dtypes';
import { encodeFromF32 } from '../../src/bytes/floats';
import type { Backend } from '../../src/merge/backend';
import { touchedRows } from '../../src/merge/adapting';
import type { AdaptRequest } from '../../src/merge/adapting';
import { createReferenceBackend } from '../../src/reference/backend';
import { drawsFor } from '../../src/merge/random';

const ROWS = 37;

/** Elements [first, first + count) of a ROWS x `columns` matrix with awkward values among ordinary ones. */
function requestOf(dtype: MergedDtype, columns: number, rank: number, first: number, count: number, awkward: boolean): AdaptRequest {
  const draw = drawsFor(`${columns}/${rank}`);
  const random = () => draw(2 ** 24) / 2 ** 24;
  const values = (n: number, size: number) => Float32Array.from({ length: n }, () => size * (random() - 0.5));
  const theta = values(ROWS * columns, 0.2);
  const left = values(ROWS * rank, 1);
  const right = values(rank * columns, 0.5);
  if (awkward) {
    theta.set([1e-40, -0, Infinity, NaN, 3.4e38, -1e-45, 0].slice(0, count), first);
    left.set([1e-30, -1e-30, 3e38, 0, -0]);
    right.set([1e-12, 2e-13, 1e38, NaN, -Infinity, 0].slice(0, right.length));
  }
  const { begin, end } = touchedRows(first, count, columns);
  const own = theta.slice(first, first + count);
  const base = dtype === 'F64' ? new Uint8Array(Float64Array.from(own).buffer) : encodeFromF32(own, dtype);
  return { base, dtype, first, columns, rank, scale: Math.fround(16 / Math.sqrt(rank)), left: left.slice(begin * rank, end * rank), right };
}

const bitsOf = (bytes: Uint8Array) => [...new Uint32Array(bytes.slice().buffer)];

export function describeAdapt(name: string, make: () => Promise<Backend> | Backend): void {
  describe(`adapt on ${name}`, () => {
    it.each([
      ['BF16', 64, 8, 0, 37 * 64],
      ['F32', 33, 3, 0, 37 * 33],
      ['F16', 130, 1, 131, 517],
      ['F64', 40, 16, 39, 2],
      ['BF16', 2500, 4, 2499, 5003],
      ['BF16', 1, 2, 5, 7],
    ] as const)('%s, %d columns, rank %d: elements from %d, %d of them', async (dtype, columns, rank, first, count) => {
      const backend = await make();
      for (const awkward of [false, true]) {
        const request = requestOf(dtype, columns, rank, first, count, awkward);
        const expected = bitsOf(await createReferenceBackend().adapt(request));
        expect(expected).toHaveLength(count);
        expect(bitsOf(await backend.adapt(request))).toEqual(expected);
      }
      backend.dispose();
    });
  });
}
