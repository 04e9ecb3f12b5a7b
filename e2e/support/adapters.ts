import { decode, encode } from './numbers';
import type { Tensor, Tensors } from './safetensors';

/** base + scale * (B A) for every pair of factors of an adapter, rank after rank in f32, as PEFT merges it; `scale` by module. */
export function withAdapter(base: Tensors, adapter: Tensors, scaleOf: (module: string) => number): Tensors {
  const merged = new Map(base);
  const valuesOf = ({ bytes, dtype }: Tensor) => decode(bytes, dtype);
  for (const [name, a] of adapter) {
    const module = /^base_model\.model\.(.+)\.lora_A\.weight$/.exec(name)?.[1];
    if (module === undefined) continue;
    const b = adapter.get(name.replace('lora_A', 'lora_B'))!;
    const [rank, columns] = a.shape as [number, number];
    const [left, right] = [valuesOf(b), valuesOf(a)];
    const origin = base.get(`${module}.weight`)!;
    const formed = valuesOf(origin).map((theta, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      let sum = 0;
      for (let r = 0; r < rank; r++) sum = Math.fround(sum + Math.fround(left[row * rank + r]! * right[r * columns + column]!));
      return Math.fround(theta + Math.fround(scaleOf(module) * sum));
    });
    merged.set(`${module}.weight`, { ...origin, dtype: 'F32', bytes: encode(formed, 'F32') });
  }
  return merged;
}

/** A two-dimensional tensor with its rows in another order: row i of the result is row `order[i]`. */
export function withRows(tensor: Tensor, order: readonly number[]): Tensor {
  const width = tensor.bytes.length / tensor.shape[0]!;
  const bytes = new Uint8Array(order.length * width);
  order.forEach((row, i) => bytes.set(tensor.bytes.subarray(row * width, (row + 1) * width), i * width));
  return { ...tensor, shape: [order.length, ...tensor.shape.slice(1)], bytes };
}
