/** What the passes over parts work with on one thread: the arrays of a block, and the loops over them. */
import { createKernels, STEP } from './kernels';
import { TYPED_OPS, type BlockOps } from './ops';
import { Scratch } from './scratch';

export interface Workspace {
  readonly scratch: Scratch;
  /** For blocks of a multiple of `step` elements, which lie in the scratch. What is left of a part goes by TYPED_OPS. */
  readonly ops: BlockOps;
  readonly step: number;
  readonly simd: boolean;
}

/** @param simd whether to use WebAssembly SIMD where it runs; typed arrays otherwise */
export function createWorkspace(simd = true): Workspace {
  const kernels = simd ? createKernels() : null;
  return kernels ? { scratch: new Scratch(kernels.allocate), ops: kernels.ops, step: STEP, simd: true } : { scratch: new Scratch(), ops: TYPED_OPS, step: 1, simd: false };
}
