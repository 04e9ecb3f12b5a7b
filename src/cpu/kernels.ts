/**
 * The inner loops in WebAssembly SIMD: kernels/ in AssemblyScript, compiled at build time. An instance has a memory of its own, in
 * which a scratch lies; its functions are called with addresses, so a block is in place from its decoding to its encoding.
 */
import base64 from '../../kernels/index.ts?kernels';
import type { Raw } from './decode';
import { encodeBlock } from './encode';
import { TYPED_OPS, type BlockOps } from './ops';
import type { Pair } from './pair';
import { BLOCK, type Allocate, type Lane, type Scratch } from './scratch';

/** Addresses in bytes. Exports of kernels/index.ts. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  decodeBf16(from: number, n: number, into: number): void;
  decodeF16(from: number, n: number, into: number): void;
  subtract(theta: number, base: number, n: number): number;
  subtractBf16(from: number, base: number, n: number, into: number): number;
  allFinite(bits: number, n: number): number;
  gatherKeys(bits: number, n: number, low: number, width: number, largest: number, into: number, above: number): number;
  countEqual(bits: number, n: number, key: number): number;
  trim(bits: number, n: number, limit: number): number;
  weigh(tau: number, factor: number, weight: number, n: number, into: number): void;
  addTerms(e: number, terms: number, n: number): void;
  elect(e: number, n: number, negative: number): void;
  agree(terms: number, negative: number, n: number, agrees: number): void;
  addSigns(tau: number, n: number, positives: number, negatives: number): void;
  conflict(positives: number, negatives: number, n: number, into: number): number;
  countNonzero(bits: number, n: number): number;
  countOnes(flags: number, n: number): number;
  countBoth(a: number, b: number, n: number): number;
  countOpposite(a: number, b: number, n: number): number;
  gatherMargins(terms: number, agrees: number, e: number, n: number, keys: number, places: number): number;
  addAgreeing(terms: number, agrees: number, weight: number, n: number, sum: number, divisor: number): void;
  divide(sum: number, divisor: number, n: number): void;
  divideByConstant(values: number, divisor: number, n: number): void;
  apply(base: number, tau: number, lambda: number, n: number, merged: number): void;
  addWeighted(theta: number, weight: number, n: number, sum: number): void;
  mergePair(...all: number[]): void;
  gatherPairMargins(own: number, other: number, n: number, factor: number, weight: number, otherFactor: number, otherWeight: number, keys: number, places: number): number;
  encodeBf16(bits: number, n: number, into: number): number;
  encodeF16(bits: number, n: number, into: number): number;
}

/** Blocks of a multiple of so many values are done here; what is left of a part, on typed arrays. */
export const STEP = 8;
/** The module's own constants lie below. */
const FIRST = 4096;

export interface Kernels {
  /** For blocks of a multiple of STEP values whose arrays are all of `allocate`. */
  readonly ops: BlockOps;
  /** A multiple of STEP words each time. */
  readonly allocate: Allocate;
}

let module: WebAssembly.Module | null = null;

/** A fresh instance; null where it cannot run: no SIMD, a policy without 'wasm-unsafe-eval', or no room for its memory. */
export function createKernels(): Kernels | null {
  try {
    module ??= new WebAssembly.Module(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
    return kernelsOf(new WebAssembly.Instance(module).exports as unknown as Exports);
  } catch {
    return null;
  }
}

function kernelsOf(wasm: Exports): Kernels {
  const { buffer } = wasm.memory as { readonly buffer: ArrayBuffer };
  let next = FIRST;
  const allocate: Allocate = (words) => {
    const at = next;
    if (at + words * 4 > buffer.byteLength) return null;
    next += words * 4;
    return { buffer, at };
  };
  const room = (words: number) => allocate(words)!.at;
  /** Where bytes of inputs come in and outputs go out. */
  const staging = new Uint16Array(buffer, room(BLOCK), BLOCK * 2);
  /** Where counts come back. */
  const counted = new Int32Array(buffer, room(STEP), 7);
  const stage = (words: Uint16Array, at: number, n: number) => {
    staging.set(words.subarray(at, at + n));
    return staging.byteOffset;
  };

  const ops: BlockOps = {
    decodeBlock(raw, at, n, into) {
      if (raw?.dtype === 'BF16') wasm.decodeBf16(stage(raw.words, at, n), n, into.bits.byteOffset);
      else if (raw?.dtype === 'F16') wasm.decodeF16(stage(raw.words, at, n), n, into.bits.byteOffset);
      else TYPED_OPS.decodeBlock(raw, at, n, into);
    },
    loadTau(raw: Raw, at: number, n: number, base: Lane, into: Lane) {
      if (raw.dtype === 'BF16') return wasm.subtractBf16(stage(raw.words, at, n), base.bits.byteOffset, n, into.bits.byteOffset) !== 0;
      ops.decodeBlock(raw, at, n, into);
      return wasm.subtract(into.f32.byteOffset, base.f32.byteOffset, n) !== 0;
    },
    subtract: (theta, base, n) => void wasm.subtract(theta.byteOffset, base.byteOffset, n),
    allFinite: (bits, n) => wasm.allFinite(bits.byteOffset, n) !== 0,
    gatherKeys(bits, n, { low, bins, shift }, largest, into) {
      const found = wasm.gatherKeys(bits.byteOffset, n, low, bins * 2 ** shift, largest, into.byteOffset, counted.byteOffset);
      return { found, above: counted[0]! };
    },
    countEqual: (keys, n, threshold) => wasm.countEqual(keys.byteOffset, n, threshold),
    trimBlock(bits, from, to, limit) {
      // Where equals are cut off is in one block of a part.
      if (limit === 0 || from !== 0 || to % STEP !== 0) return TYPED_OPS.trimBlock(bits, from, to, limit);
      return wasm.trim(bits.byteOffset, to, limit);
    },
    weighBlock: (tau, factor, weight, n, into) => wasm.weigh(tau.byteOffset, factor, weight, n, into.byteOffset),
    addTerms: (e, terms, n) => wasm.addTerms(e.byteOffset, terms.byteOffset, n),
    electBlock: (e, n, negative) => wasm.elect(e.byteOffset, n, negative.byteOffset),
    agreeBlock: (terms, negative, n, agrees) => wasm.agree(terms.byteOffset, negative.byteOffset, n, agrees.byteOffset),
    addSigns: (tau, n, positives, negatives) => wasm.addSigns(tau.byteOffset, n, positives.byteOffset, negatives.byteOffset),
    conflictBlock: (positives, negatives, n, conflict) => wasm.conflict(positives.byteOffset, negatives.byteOffset, n, conflict.byteOffset),
    countNonzero: (bits, n) => wasm.countNonzero(bits.byteOffset, n),
    countOnes: (flags, n) => wasm.countOnes(flags.byteOffset, n),
    countBoth: (a, b, n) => wasm.countBoth(a.byteOffset, b.byteOffset, n),
    countOpposite: (a, b, n) => wasm.countOpposite(a.byteOffset, b.byteOffset, n),
    gatherMargins: (terms, agrees, e, n, keys, places) =>
      wasm.gatherMargins(terms.byteOffset, agrees.byteOffset, e.byteOffset, n, keys.byteOffset, places.byteOffset),
    addAgreeing: (terms, agrees, _masked, weight, n, sum, divisor) =>
      wasm.addAgreeing(terms.byteOffset, agrees.byteOffset, weight, n, sum.byteOffset, divisor.byteOffset),
    divideBlock: (sum, divisor, n) => wasm.divide(sum.byteOffset, divisor.byteOffset, n),
    divideByConstant: (values, divisor, n) => wasm.divideByConstant(values.byteOffset, divisor, n),
    applyBlock: (base, tau, lambda, n, merged) => wasm.apply(base.f32.byteOffset, tau.f32.byteOffset, lambda, n, merged.f32.byteOffset),
    addWeighted: (theta, weight, n, sum) => wasm.addWeighted(theta.byteOffset, weight, n, sum.byteOffset),
    mergePairBlock(pair: Pair, scratch: Scratch, n: number) {
      const { x, y, factorX, factorY, weightX, weightY, divisors, lambda, counts } = pair;
      const lanes = [scratch.base, scratch.tau(x), scratch.tau(y)].map(({ bits }) => bits.byteOffset);
      const by = [divisors[1]!, divisors[2]!, divisors[3]!, lambda];
      wasm.mergePair(...lanes, n, factorX, factorY, weightX, weightY, ...by, scratch.merged.bits.byteOffset, counted.byteOffset);
      counts.conflict += counted[0]!;
      counts.nonzeroX += counted[1]!;
      counts.nonzeroY += counted[2]!;
      counts.agreeX += counted[3]!;
      counts.agreeY += counted[4]!;
      counts.wonX += counted[5]!;
      counts.wonY += counted[6]!;
    },
    gatherPairMargins({ x, y, factorX, factorY, weightX, weightY }, prefer, scratch, n) {
      const lists = [scratch.marginKeys.byteOffset, scratch.marginPlaces.byteOffset] as const;
      const [tauX, tauY] = [scratch.tau(x).bits.byteOffset, scratch.tau(y).bits.byteOffset];
      if (prefer === x) return wasm.gatherPairMargins(tauX, tauY, n, factorX, weightX, factorY, weightY, ...lists);
      return wasm.gatherPairMargins(tauY, tauX, n, factorY, weightY, factorX, weightX, ...lists);
    },
    encodeBlock(bits, n, output, at) {
      if (output.dtype === 'F32') {
        output.words.set(bits.subarray(0, n), at);
        return 0;
      }
      const encode = output.dtype === 'F16' ? wasm.encodeF16 : wasm.encodeBf16;
      if (encode(bits.byteOffset, n, staging.byteOffset) === 0) return encodeBlock(bits, n, output, at);
      output.words.set(staging.subarray(0, n), at);
      return 0;
    },
  };
  return { ops, allocate };
}
