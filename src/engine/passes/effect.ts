/** Twin of shaders/effect.wgsl: lengths of the base, the task vectors and the change, and the products between them. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import { effectKinds, THREADS } from '../layout';
import type { PassShape } from '../pipelines';
import { BLOCK_ACCESS, chunkWork, inputBindings } from './bindings';

const EXTENTS: PassShape = { shader: 'effect', entry: 'extents_of', storage: { ...BLOCK_ACCESS, 5: 'write' }, work: true };
const EFFECT: PassShape = { shader: 'effect', entry: 'effect', storage: { ...BLOCK_ACCESS, 5: 'write', 6: 'write' }, work: true };
const FOLD: PassShape = { shader: 'effect', entry: 'fold', storage: { 6: 'write', 7: 'write' }, work: true };

export interface EffectBuffers {
  /** Keys, one a slot and vector; zero before. */
  readonly extents: GPUBuffer;
  /** f32, one a thread of each block and kind. */
  readonly partials: GPUBuffer;
  /** f32, one a block and kind. */
  readonly sums: GPUBuffer;
}

export async function prepareEffect(context: Context, overrides: Overrides, reserves: boolean) {
  const all = { ...overrides, RESERVES: reserves ? 1 : 0 };
  const [extents, effect, fold] = await Promise.all([
    context.pipelines.overBlocks(EXTENTS, all),
    context.pipelines.overBlocks(EFFECT, all),
    context.pipelines.get(FOLD, all),
  ]);
  const kinds = effectKinds(overrides['MODELS']!);
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, into: EffectBuffers) => {
    const work = chunkWork(chunk, buffers);
    const bindings = { ...inputBindings(chunk, buffers), 5: into.extents, 6: into.partials };
    recording.dispatchBlocks(extents, bindings, work, chunk);
    recording.dispatchBlocks(effect, bindings, work, chunk);
    recording.dispatch(FOLD, fold, { 6: into.partials, 7: into.sums }, work, Math.ceil((work.endBlock * kinds) / THREADS));
  };
}
