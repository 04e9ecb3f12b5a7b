/** Views over many settings, one evaluation a setting: obvious, and what a backend's own single pass must equal. */
import { trimsAndElects } from '../recipe/methods';
import type { TensorParameters } from '../recipe/types';
import { throwIfAborted } from './abort';
import type { Group, GroupResult } from './backend';
import type { SlackCurveRequest, SlotSurface, SurfaceRequest } from './exploring';

export type Evaluate = (parameters: readonly TensorParameters[], signal?: AbortSignal) => Promise<GroupResult>;

/** Throws RangeError where a surface has no meaning: methods that elect no sign, and `rescale`, which makes values depend on k. */
export function checkSurface(group: Group, parameters: readonly TensorParameters[], { x, y }: SurfaceRequest): void {
  if (!trimsAndElects(group.method)) throw new RangeError(`${group.method} does not trim and elect: it has no surface`);
  if (parameters.some(({ rescale }) => rescale)) throw new RangeError('with rescale a value depends on its density: there is no surface');
  if (x === y) throw new RangeError(`both axes are model ${x}`);
}

/** `Held.surface`, cell by cell. */
export async function surfaceByEvaluating(
  group: Group,
  evaluate: Evaluate,
  parameters: readonly TensorParameters[],
  request: SurfaceRequest,
  signal?: AbortSignal,
): Promise<SlotSurface[]> {
  checkSurface(group, parameters, request);
  const { x, y, densitiesX, densitiesY } = request;
  const surfaces = group.slots.map(() => emptySurface(densitiesX.length, densitiesY.length));
  for (const [iy, ky] of densitiesY.entries()) {
    for (const [ix, kx] of densitiesX.entries()) {
      throwIfAborted(signal);
      const cell = iy * densitiesX.length + ix;
      const densities = (own: readonly number[]) => own.map((density, model) => (model === x ? kx : model === y ? ky : density));
      const { slots } = await evaluate(parameters.map(({ slack: _, ...rest }) => ({ ...rest, density: densities(rest.density) })), signal);
      slots.forEach(({ figures }, s) => {
        const surface = surfaces[s]!;
        surface.numel = figures.numel;
        surface.conflict[cell] = figures.conflict;
        surface.wonX[cell] = figures.won[x]!;
        surface.wonY[cell] = figures.won[y]!;
        surface.discardedX[cell] = figures.discarded[x]!;
        surface.discardedY[cell] = figures.discarded[y]!;
        surface.keptX[ix] = figures.kept[x]!;
        surface.keptY[iy] = figures.kept[y]!;
        surface.nonzeroX[ix] = figures.nonzero[x]!;
        surface.nonzeroY[iy] = figures.nonzero[y]!;
      });
    }
  }
  return surfaces;
}

/** Counts of `nx` by `ny` cells, all 0. */
export function emptySurface(nx: number, ny: number): { -readonly [K in keyof SlotSurface]: SlotSurface[K] } {
  const cells = () => new Float64Array(nx * ny);
  return {
    numel: 0,
    conflict: cells(), wonX: cells(), wonY: cells(), discardedX: cells(), discardedY: cells(),
    keptX: new Float64Array(nx), keptY: new Float64Array(ny), nonzeroX: new Float64Array(nx), nonzeroY: new Float64Array(ny),
  };
}

/** Per share, the results of evaluating with that slack. */
export async function evaluateShares(
  evaluate: Evaluate,
  parameters: readonly TensorParameters[],
  { prefer, of, shares }: SlackCurveRequest,
  signal?: AbortSignal,
): Promise<GroupResult[]> {
  const results: GroupResult[] = [];
  for (const s of shares) {
    throwIfAborted(signal);
    results.push(await evaluate(parameters.map((own) => ({ ...own, slack: { s, of, prefer } })), signal));
  }
  return results;
}
