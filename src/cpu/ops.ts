/**
 * The inner loops over one block, as the passes over a part call them. There are two sets: typed arrays, which work everywhere, and
 * WebAssembly SIMD. Both give the same bits.
 */
import { allFinite, decodeBlock, subtract, type Raw } from './decode';
import { addTerms, agreeBlock, electBlock, weighBlock } from './elect';
import { encodeBlock, type Output } from './encode';
import { addSigns, conflictBlock, countBoth, countNonzero, countOnes, countOpposite } from './counts';
import { addAgreeing, addWeighted, applyBlock, divideBlock, divideByConstant } from './merge';
import { gatherPairMargins, mergePairBlock, type Pair } from './pair';
import type { Lane, Scratch } from './scratch';
import { gatherKeys } from './select';
import { gatherMargins } from './slack';
import { countEqual, trimBlock } from './trim';

export interface BlockOps {
  readonly decodeBlock: typeof decodeBlock;
  /** tau of elements [at, at + n); whether all of it is finite. */
  loadTau(raw: Raw, at: number, n: number, base: Lane, into: Lane): boolean;
  readonly subtract: typeof subtract;
  readonly allFinite: typeof allFinite;
  readonly gatherKeys: typeof gatherKeys;
  readonly countEqual: typeof countEqual;
  readonly trimBlock: typeof trimBlock;
  readonly weighBlock: typeof weighBlock;
  readonly addTerms: typeof addTerms;
  readonly electBlock: typeof electBlock;
  readonly agreeBlock: typeof agreeBlock;
  readonly addSigns: typeof addSigns;
  readonly conflictBlock: typeof conflictBlock;
  readonly countNonzero: typeof countNonzero;
  readonly countOnes: typeof countOnes;
  readonly countBoth: typeof countBoth;
  readonly countOpposite: typeof countOpposite;
  readonly gatherMargins: typeof gatherMargins;
  readonly addAgreeing: typeof addAgreeing;
  readonly divideBlock: typeof divideBlock;
  readonly divideByConstant: typeof divideByConstant;
  readonly applyBlock: typeof applyBlock;
  readonly addWeighted: typeof addWeighted;
  mergePairBlock(pair: Pair, scratch: Scratch, n: number): void;
  gatherPairMargins(pair: Pair, prefer: number, scratch: Scratch, n: number): number;
  encodeBlock(bits: Int32Array<ArrayBuffer>, n: number, output: Output, at: number): number;
}

/** On typed arrays, of any length and in any memory. */
export const TYPED_OPS: BlockOps = {
  decodeBlock,
  loadTau(raw, at, n, base, into) {
    decodeBlock(raw, at, n, into);
    subtract(into.f32, base.f32, n);
    return allFinite(into.bits, n);
  },
  subtract,
  allFinite,
  gatherKeys,
  countEqual,
  trimBlock,
  weighBlock,
  addTerms,
  electBlock,
  agreeBlock,
  addSigns,
  conflictBlock,
  countNonzero,
  countOnes,
  countBoth,
  countOpposite,
  gatherMargins,
  addAgreeing,
  divideBlock,
  divideByConstant,
  applyBlock,
  addWeighted,
  mergePairBlock,
  gatherPairMargins,
  encodeBlock,
};
