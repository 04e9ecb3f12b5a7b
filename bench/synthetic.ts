import { f32ToBf16 } from '../src/bytes/floats';

/** Values in a row of the tensor measured: those of the projections of a 7B model, which have 4096 or 11,008 rows. */
export const COLUMNS = 4096;

/** Counter-based 32-bit generator (the finaliser of MurmurHash3): the same tensor on every machine. */
function mixed(seed: number, counter: number): number {
  let h = (seed ^ Math.imul(counter + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** About normal with deviation 1: the sum of the four bytes of one draw, centred and scaled. */
function aboutNormal(seed: number, counter: number): number {
  const h = mixed(seed, counter);
  const sum = (h & 255) + ((h >>> 8) & 255) + ((h >>> 16) & 255) + (h >>> 24);
  return (sum - 510) / 147.8;
}

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);
function bf16(x: number): number {
  value[0] = x;
  return f32ToBf16(bits[0]!);
}

/**
 * A base and two models as BF16 payloads. Deviations are those of a trained 7B: weights 0.02, a fine-tuning 0.0004, a
 * continual pre-training 0.0008, so that a share of the differences rounds to zero and thousands tie at the threshold.
 */
export function syntheticFamily(rows: number): Uint8Array<ArrayBuffer>[] {
  const deviations = [0, 0.0004, 0.0008];
  return deviations.map((deviation, input) => {
    const words = new Uint16Array(rows * COLUMNS);
    for (let i = 0; i < words.length; i++) {
      words[i] = bf16(0.02 * aboutNormal(1, i) + (input === 0 ? 0 : deviation * aboutNormal(1 + input, i)));
    }
    return new Uint8Array(words.buffer);
  });
}
