/**
 * DELLA (Deep, Bhardwaj and Poria, "DELLA-Merging: Reducing Interference in Model Merging through Magnitude-Based Sampling", 2024):
 * a value is kept with a probability that rises with the rank of its magnitude in its row, from k - epsilon to k + epsilon. A row
 * is what lies along the last dimension; a vector is one row. Draws are those of DARE (src/merge/draw.ts).
 */
import { drawOf, philoxWords } from '../draw';
import { Bits } from './bits';
import { factorsOf, keepNonfinite, keptByPart, sumsFor, type Choose } from './choose';
import { keysOf, type SlotVectors } from './vectors';

/** Bins that the magnitudes of a row are first sorted into: a few values each in the usual rows of thousands. */
const BINS = 4096;

/** Probability to keep the value of this rank, 0 for the smallest, among the n of its row. f64; what leaves [0, 1] is cut off there. */
export function keepProbability(density: number, epsilon: number, rank: number, n: number): number {
  const [low, high] = [Math.max(0, density - epsilon), Math.min(1, density + epsilon)];
  return n < 2 ? Math.min(1, density) : low + ((high - low) * rank) / (n - 1);
}

/**
 * Writes into `kept`, for the values of one row, whether the word drawn for each is below 2^32 times the probability of its rank.
 * Equal magnitudes rank by flat index, the lower one lower. Only where the bin of a magnitude leaves it open is its rank found.
 */
export function keepByRank(row: Float32Array, keys: Uint32Array, words: Uint32Array, density: number, epsilon: number, kept: Uint8Array): void {
  const n = row.length;
  const limit = (rank: number) => keepProbability(density, epsilon, rank, n) * 2 ** 32;
  let largest = 0;
  for (let j = 0; j < n; j++) if (keys[j]! < 0x7f800000 && keys[j]! > largest) largest = keys[j]!;
  const scale = BINS / new Float32Array(Uint32Array.of(largest).buffer)[0]!;
  const bins = new Uint16Array(n);
  const ends = new Uint32Array(BINS + 1);
  for (let j = 0; j < n; j++) {
    // Rounding keeps order, so that a larger magnitude is in no lower bin; what is not finite is in the last.
    let bin = BINS - 1;
    if (keys[j] === 0) bin = 0;
    else if (keys[j]! < 0x7f800000) bin = Math.min(BINS - 1, (Math.abs(row[j]!) * scale) | 0);
    bins[j] = bin;
    ends[bin + 1]!++;
  }
  for (let bin = 0; bin < BINS; bin++) ends[bin + 1]! += ends[bin]!;
  const [low, high] = [new Float64Array(BINS), new Float64Array(BINS)];
  for (let bin = 0; bin < BINS; bin++) {
    low[bin] = limit(ends[bin]!);
    high[bin] = limit(ends[bin + 1]! - 1);
  }
  const open = new Set<number>();
  for (let j = 0; j < n; j++) {
    const bin = bins[j]!;
    const word = words[j]!;
    if (word < low[bin]!) kept[j] = 1;
    else {
      kept[j] = 0;
      if (word < high[bin]!) open.add(bin);
    }
  }
  if (open.size > 0) settle(keys, words, bins, ends, open, limit, kept);
}

/** The values of the bins in `open`, by their exact ranks. */
function settle(keys: Uint32Array, words: Uint32Array, bins: Uint16Array, ends: Uint32Array, open: ReadonlySet<number>, limit: (rank: number) => number, kept: Uint8Array): void {
  const members = new Map<number, number[]>();
  for (const bin of open) members.set(bin, []);
  const isOpen = new Uint8Array(BINS);
  for (const bin of open) isOpen[bin] = 1;
  for (let j = 0; j < bins.length; j++) if (isOpen[bins[j]!] === 1) members.get(bins[j]!)!.push(j);
  for (const [bin, places] of members) {
    // A stable sort: equal keys stay in flat order. A bin of one key, as in a tensor that was not trained, is in order already.
    if (places.some((j) => keys[j] !== keys[places[0]!])) places.sort((a, b) => keys[a]! - keys[b]!);
    for (const [r, j] of places.entries()) kept[j] = Number(words[j]! < limit(ends[bin]! + r));
  }
}

export const chooseRanked: Choose = async (vectors, parameters) => {
  const { slot, elements } = vectors;
  const draws = elements.map((_, model) => (slot.inputs[model + 1] === null ? null : drawOf(parameters, slot.name, model)));
  const bits = draws.map((draw) => draw && new Bits(vectors.length));
  const sums = sumsFor(parameters, bits);
  await eachRow(vectors, (model, row, begin, first) => {
    const draw = draws[model];
    if (!draw) return;
    const kept = new Uint8Array(row.length);
    const keys = keysOf(row);
    keepByRank(row, keys, philoxWords(draw, first, row.length), parameters.density[model]!, parameters.epsilon?.[model] ?? 0, kept);
    keepNonfinite(keys, kept);
    bits[model]!.write(begin, kept);
    sums[model]?.add(row, kept);
  });
  return { bits, parameters: factorsOf(parameters, sums), figures: keptByPart(vectors, bits) };
};

/** Visits the rows of every model: its values, their first place among those that the group covers, and its flat index. */
async function eachRow(vectors: SlotVectors, visit: (model: number, row: Float32Array<ArrayBuffer>, begin: number, first: number) => void): Promise<void> {
  const length = vectors.slot.row ?? vectors.slot.elements;
  const pending = vectors.elements.map(() => ({ parts: [] as Float32Array<ArrayBuffer>[], count: 0, begin: 0, first: 0 }));
  const finish = (model: number) => {
    const { parts, count, begin, first } = pending[model]!;
    pending[model]!.parts = [];
    if (parts.length > 0) visit(model, joined(parts, count), begin, first);
  };
  await vectors.each((block) => {
    for (const [model, tau] of block.taus.entries()) {
      const own = pending[model]!;
      // A row that the model has only in parts, as in a sample, is ranked in those parts.
      if (tau === null || own.first + own.count !== block.first) finish(model);
      for (let at = 0; tau !== null && at < block.count; ) {
        const first = block.first + at;
        const count = Math.min(block.count - at, length - (first % length));
        if (own.parts.length === 0) Object.assign(own, { count: 0, begin: block.begin + at, first });
        own.parts.push(tau.subarray(at, at + count));
        own.count += count;
        at += count;
        if ((first + count) % length === 0) finish(model);
      }
    }
  });
  for (const model of pending.keys()) finish(model);
}

function joined(parts: readonly Float32Array<ArrayBuffer>[], count: number): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(count);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
