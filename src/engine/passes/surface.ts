/** Twin of shaders/surface.wgsl: what each element adds to the counts at every pair of densities. */
import type { LoadedChunk } from '../chunk';
import type { Context, Overrides } from '../context';
import type { Recording } from '../recording';
import type { GroupBuffers } from '../group-buffers';
import type { PassShape } from '../pipelines';
import { chunkWork, BLOCK_ACCESS, inputBindings } from './bindings';

const SHAPE: PassShape = { shader: 'surface', entry: 'surface', storage: { ...BLOCK_ACCESS, 5: 'read', 6: 'write' }, work: true };

export interface SurfaceAxes {
  readonly x: number;
  readonly y: number;
  /** Densities of each axis. */
  readonly nx: number;
  readonly ny: number;
}
export interface SurfaceBuffers {
  /** Selections of the axes' models, density by density, each for all slots: x's, then y's. */
  readonly axes: GPUBuffer;
  /** i32, surfaceWords a slot; zero before. */
  readonly bins: GPUBuffer;
}

export async function prepareSurface(context: Context, overrides: Overrides, { x, y, nx, ny }: SurfaceAxes) {
  const pass = await context.pipelines.overBlocks(SHAPE, { ...overrides, AXIS_X: x, AXIS_Y: y, NX: nx, NY: ny });
  return (recording: Recording, chunk: LoadedChunk, buffers: GroupBuffers, into: SurfaceBuffers) => {
    const work = chunkWork(chunk, buffers);
    const bindings = { ...inputBindings(chunk, buffers), 5: into.axes, 6: into.bins };
    recording.dispatchBlocks(pass, bindings, work, chunk);
  };
}
