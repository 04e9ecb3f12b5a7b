/** Weights that follow from the lengths of a tensor's vectors and the angles between them (merging.md section 7). All f64. */

/** Products of n vectors with each other, row by row: n * n numbers. Vectors are a tensor's values, or task vectors, as a whole. */
export type Products = Float64Array;

/** The weights of a sum of n vectors that take part, from their products and the weights the recipe gives them. n is at least 2. */
export type AngleRule = (products: Products, given: readonly number[]) => number[];

/** Cosines above this are taken for one direction by SLERP (MergeKit's, and the reference code's of K. Shoemake's formula). */
const ONE_DIRECTION = 0.9995;
/** Sines below this are 0 as far as dividing by them goes. */
const LEAST_SINE = 1e-6;
/** Vectors shorter than this have no direction. */
const LEAST_LENGTH = 1e-8;

/**
 * Along the arc from the first to the second vector (K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985), t =
 * w_2 / (w_1 + w_2): sin((1 - t) a) / sin a and sin(t a) / sin a. Along the straight line where they have one direction, or none.
 */
export const slerp: AngleRule = (products, given) => alongArc(cosine(products, 2, 0, 1), given, ONE_DIRECTION);

/** As `slerp`, with the straight line only where the arc is not defined. */
export const nuslerp: AngleRule = (products, given) => alongArc(cosine(products, 2, 0, 1), given, 1);

function alongArc(cos: number | null, [first, second]: readonly number[], oneDirection: number): number[] {
  const total = first! + second!;
  const t = total === 0 ? 0.5 : second! / total;
  if (cos === null || Math.abs(cos) > oneDirection) return [1 - t, t];
  const angle = Math.acos(Math.min(1, Math.max(-1, cos)));
  const sine = Math.sin(angle);
  if (sine < LEAST_SINE) return [1 - t, t];
  return [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
}

/**
 * Model stock (Jang, Yun and Han, "Model Stock: All we need is just a few fine-tuned models", ECCV 2024): the mean of the task
 * vectors times r = n c / (1 + (n - 1) c), c the mean cosine between two of them.
 */
export const modelStock: AngleRule = (products) => {
  const n = Math.sqrt(products.length);
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) sum += cosine(products, n, i, j) ?? 0;
  const c = sum / ((n * (n - 1)) / 2);
  const ratio = (n * c) / (1 + (n - 1) * c);
  return new Array<number>(n).fill(Number.isFinite(ratio) ? ratio / n : 1 / n);
};

/** Null where one of the two has no direction. */
function cosine(products: Products, n: number, i: number, j: number): number | null {
  const lengths = Math.sqrt(products[i * n + i]!) * Math.sqrt(products[j * n + j]!);
  if (Math.sqrt(products[i * n + i]!) < LEAST_LENGTH || Math.sqrt(products[j * n + j]!) < LEAST_LENGTH) return null;
  return products[i * n + j]! / lengths;
}
