/**
 * Every pair of densities of two models from one pass over the elements (architecture.md, idea 7): the selections of each axis
 * first, kept as tables, then what each element adds where.
 */
import { throwIfAborted } from '../../merge/abort';
import { keptCount } from '../../merge/backend';
import type { SlotSurface, SurfaceRequest } from '../../merge/exploring';
import { checkSurface, emptySurface } from '../../merge/sweeps';
import type { TensorParameters } from '../../recipe/types';
import { COUNTED } from '../layout';
import { prepareSurface } from '../passes/surface';
import { selectGroup } from '../selecting';
import { STORAGE } from '../usage';
import type { HeldGroup } from './held-group';

/** `Held.surface`. Throws RangeError where there is none. */
export async function slotSurfaces(
  held: HeldGroup,
  parameters: readonly TensorParameters[],
  request: SurfaceRequest,
  signal?: AbortSignal,
): Promise<SlotSurface[]> {
  const { context, group, residency } = held;
  checkSurface(group, parameters, request);
  const { x, y, densitiesX, densitiesY } = request;
  const [nx, ny] = [densitiesX.length, densitiesY.length];
  const slotWords = COUNTED * nx * ny + nx + ny;
  const binBytes = 4 * slotWords * group.slots.length;
  const untrimmed = parameters.map(({ slack: _, ...own }) => ({ ...own, density: own.density.map(() => 1) }));
  const { laneBytes } = await held.prepare(untrimmed);
  const loan = context.memory.loan();
  try {
    const axes = await loan.borrow('surface axes', (nx + ny) * laneBytes, STORAGE);
    const bins = await loan.borrow('surface', binBytes, STORAGE);
    for (const [model, densities, first] of [[x, densitiesX, 0], [y, densitiesY, nx]] as const) {
      for (const [place, k] of densities.entries()) {
        throwIfAborted(signal);
        const alone = untrimmed.map((own) => ({ ...own, density: own.density.map((one, m) => (m === model ? k : one)) }));
        const buffers = await held.prepare(alone);
        await selectGroup({ context, group, parameters: alone, buffers, residency });
        const keeping = context.record('surface axis');
        keeping.copy(buffers.state, model * laneBytes, axes, (first + place) * laneBytes, laneBytes);
        keeping.submit();
      }
    }
    throwIfAborted(signal);
    const others = parameters.map(({ slack: _, ...own }) => ({ ...own, density: own.density.map((k, m) => (m === x || m === y ? 1 : k)) }));
    const buffers = await held.prepare(others);
    const { overrides } = await selectGroup({ context, group, parameters: others, buffers, residency });
    const surface = await prepareSurface(context, overrides, { x, y, nx, ny });
    const recording = context.record('surface');
    recording.clear(bins, 0, binBytes);
    surface(recording, await residency.load(0), buffers, { axes, bins });
    recording.submit();
    const [bytes] = await context.readBack([{ buffer: bins, size: binBytes }]);
    const words = new Int32Array(bytes!.buffer);
    return group.slots.map((_, s) => slotSurface(held, s, request, words.subarray(s * slotWords, (s + 1) * slotWords)));
  } finally {
    loan.release();
  }
}

/** Cumulative sums over both axes of one slot's bins. */
function slotSurface({ group }: HeldGroup, s: number, { x, y, densitiesX, densitiesY }: SurfaceRequest, bins: Int32Array): SlotSurface {
  const [nx, ny] = [densitiesX.length, densitiesY.length];
  const surface = emptySurface(nx, ny);
  const { inputs, modelElements } = group.slots[s]!;
  surface.numel = group.chunks[0]!.reduce((sum, segment) => sum + (segment.slot === s ? segment.count : 0), 0);
  const grids = [surface.conflict, surface.wonX, surface.wonY, surface.discardedX, surface.discardedY];
  grids.forEach((grid, g) => {
    for (let iy = 0; iy < ny; iy++) {
      let row = 0;
      for (let ix = 0; ix < nx; ix++) {
        row += bins[(g * ny + iy) * nx + ix]!;
        grid[iy * nx + ix] = row + (iy === 0 ? 0 : grid[(iy - 1) * nx + ix]!);
      }
    }
  });
  const axis = (model: number, densities: readonly number[], at: number, kept: Float64Array, nonzero: Float64Array) => {
    if (inputs[model + 1] === null) return;
    let sum = 0;
    densities.forEach((k, place) => {
      sum += bins[at + place]!;
      nonzero[place] = sum;
      kept[place] = Math.min(modelElements[model]!, keptCount(k, modelElements[model]!));
    });
  };
  axis(x, densitiesX, COUNTED * nx * ny, surface.keptX, surface.nonzeroX);
  axis(y, densitiesY, COUNTED * nx * ny + nx, surface.keptY, surface.nonzeroY);
  return surface;
}
