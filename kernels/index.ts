/**
 * The inner loops of the CPU backend in AssemblyScript, compiled to WebAssembly SIMD when the studio is built. Each does what its
 * twin in src/cpu does, with the same operations in the same order: f32 in WebAssembly is IEEE 754, nothing is fused and subnormals
 * are kept. Addresses are in bytes and multiples of 16, `n` is a multiple of 8.
 */
export { allFinite, decodeBf16, decodeF16, subtract, subtractBf16 } from './decode';
export { countEqual, gatherKeys, trim } from './select';
export { addTerms, agree, elect, weigh } from './elect';
export { addSigns, conflict, countBoth, countNonzero, countOnes, countOpposite } from './counts';
export { gatherMargins } from './slack';
export { addAgreeing, addWeighted, apply, divide, divideByConstant } from './merge';
export { gatherPairMargins, mergePair } from './pair';
export { encodeBf16, encodeF16 } from './encode';
