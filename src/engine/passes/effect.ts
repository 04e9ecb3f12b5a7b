/** Twin of shaders/effect.wgsl: lengths of the base, the task vectors and the change, and the products between them. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import { effectKinds, THREADS } from '../layout';
import type { PassShape } from '../pipelines';
import { chunkWork, INPUT_ACCESS, inputBindings } from './bindings';

const STORAGE = { ...INPUT_ACCESS, 5: 'write', 6: 'write', 7: 'write' } as const;
const EXTENTS: PassShape = { shader: 'effect', entry: 'extents_of', storage: STORAGE, work: true };
const EFFECT: PassShape = { shader: 'effect', entry: 'effect', storage: STORAGE, work: true };
const FOLD: PassShape = { shader: 'effect', entry: 'fold', storage: STORAGE, work: true };

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
  const [extents, effect, fold] = await Promise.all([EXTENTS, EFFECT, FOLD].map((shape) => context.pipelines.get(shape, all)));
  const kinds = effectKinds(overrides['MODELS']!);
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, into: EffectBuffers) => {
    const work = chunkWork(chunk, buffers);
    const bindings = { ...inputBindings(chunk, buffers), 5: into.extents, 6: into.partials, 7: into.sums };
    recording.dispatchBlocks(EXTENTS, extents!, bindings, work);
    recording.dispatchBlocks(EFFECT, effect!, bindings, work);
    recording.dispatch(FOLD, fold!, bindings, work, Math.ceil((work.endBlock * kinds) / THREADS));
  };
}
