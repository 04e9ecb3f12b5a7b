/** Twin of shaders/sums.wgsl: exact sums of |tau| over all values and over the kept ones, for `rescale`. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import { SUM_WORDS } from '../layout';
import type { PassShape } from '../pipelines';
import { chunkWork, BLOCK_ACCESS, inputBindings, laneOverrides } from './bindings';

const SHAPE: PassShape = { shader: 'sums', entry: 'sums', storage: { ...BLOCK_ACCESS, 5: 'write' }, work: true };

export async function prepareSums(context: Context, overrides: Overrides) {
  const pass = await context.pipelines.overBlocks(SHAPE, laneOverrides(overrides, 0));
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, lane: number, totals: GPUBuffer) => {
    const work = { ...chunkWork(chunk, buffers, [lane]), lane };
    recording.dispatchBlocks(pass, { ...inputBindings(chunk, buffers), 5: totals }, work, chunk);
  };
}

/** Rescale factor of one slot: sum |tau| / sum |tau^| rounded once to f32; 1 when either is below 1e-7 (merging.md section 4). */
export function rescaleFactor(totals: Uint32Array): number {
  const all = exactSum(totals.subarray(0, SUM_WORDS / 2));
  const kept = exactSum(totals.subarray(SUM_WORDS / 2, SUM_WORDS));
  return all < 1e-7 || kept < 1e-7 ? 1 : Math.fround(all / kept);
}

/** Sum of the counters, each significand times its power of two, rounded only where f64 must. */
function exactSum(words: Uint32Array): number {
  let sum = 0n;
  for (let exponent = 255; exponent >= 0; exponent--) {
    const at = 4 * exponent;
    const low = BigInt(words[at]!) + (BigInt(words[at + 1]!) << 32n);
    const high = BigInt(words[at + 2]!) + (BigInt(words[at + 3]!) << 32n);
    // Units of 2^-149, the smallest subnormal.
    sum += (low + (high << 12n)) << BigInt(Math.max(exponent, 1) - 1);
  }
  // BigInt to Number rounds to nearest even; the scaling by a power of two is exact in this range.
  const bits = sum.toString(2).length;
  const drop = Math.max(bits - 64, 0);
  const sticky = drop > 0 && (sum & ((1n << BigInt(drop)) - 1n)) !== 0n ? 1n : 0n;
  return Number((sum >> BigInt(drop)) | sticky) * 2 ** (drop - 149);
}
