/** Figures over a grid of two densities (merging.md section 5, before reserving): sums of what the tensors answer. */
import type { SlotSurface } from '../merge/exploring';
import type { Exactness } from './aggregate';
import type { Estimate } from './estimate';
import { exactnessOf, weightOf, type Part } from './parts';
import { share, type Share } from './share';
import { EXACTNESS, type Table, type TableCell } from './table';

/** The densities of the paper's grid search. */
export const PAPER_DENSITIES: readonly number[] = [0.01, 0.2, 0.4, 0.6, 0.8, 1];
/** 41 in steps of 0.025; the least is 0.01, since nothing can be kept of nothing. */
export const FINE_DENSITIES: readonly number[] = Array.from({ length: 41 }, (_, i) => (i === 0 ? 0.01 : i / 40));

/** A tensor's part. */
export type SurfacePart = Part<SlotSurface>;
export interface Surface {
  /** Sums of whole tensors: fractional where they are estimates. Cell `iy * nx + ix`. */
  readonly counts: SlotSurface;
  readonly densitiesX: readonly number[];
  readonly densitiesY: readonly number[];
  readonly exactness: Exactness;
}

/** Sum over tensors, each sample scaled to its tensor. Every part is of this grid. */
export function sumSurfaces(parts: readonly SurfacePart[], densitiesX: readonly number[], densitiesY: readonly number[]): Surface {
  const [nx, ny] = [densitiesX.length, densitiesY.length];
  const zeros = (length: number) => new Float64Array(length);
  const sum = {
    numel: 0,
    conflict: zeros(nx * ny), wonX: zeros(nx * ny), wonY: zeros(nx * ny), discardedX: zeros(nx * ny), discardedY: zeros(nx * ny),
    keptX: zeros(nx), keptY: zeros(ny), nonzeroX: zeros(nx), nonzeroY: zeros(ny),
  };
  for (const part of parts) {
    const { view } = part;
    const factor = weightOf(part);
    sum.numel += view.numel * factor;
    for (const key of ARRAYS) {
      const into = sum[key];
      const from = view[key];
      for (let i = 0; i < into.length; i++) into[i]! += from[i]! * factor;
    }
  }
  return { counts: sum, densitiesX, densitiesY, exactness: exactnessOf(parts) };
}
const ARRAYS = ['conflict', 'wonX', 'wonY', 'discardedX', 'discardedY', 'keptX', 'keptY', 'nonzeroX', 'nonzeroY'] as const;

/** What a surface can show of the models on its axes. */
export const SURFACE_FIGURES = ['discardedX', 'discardedY', 'conflict', 'wonX', 'wonY', 'nonzeroX', 'nonzeroY'] as const;
export type SurfaceFigure = (typeof SURFACE_FIGURES)[number];

/** Discarded and non-zero are shares of that model's kept values, conflict and won of N (as `metricShare`). */
export function surfaceShare({ counts, densitiesX }: Surface, figure: SurfaceFigure, ix: number, iy: number): Share {
  const cell = iy * densitiesX.length + ix;
  switch (figure) {
    case 'discardedX':
      return share(counts.discardedX[cell]!, counts.keptX[ix]!);
    case 'discardedY':
      return share(counts.discardedY[cell]!, counts.keptY[iy]!);
    case 'nonzeroX':
      return share(counts.nonzeroX[ix]!, counts.keptX[ix]!);
    case 'nonzeroY':
      return share(counts.nonzeroY[iy]!, counts.keptY[iy]!);
    default:
      return share(counts[figure][cell]!, counts.numel);
  }
}

/** Index of the density nearest to `k`, the lower of two equally near. Densities ascend. */
export function nearestDensity(densities: readonly number[], k: number): number {
  let best = 0;
  densities.forEach((one, i) => {
    if (Math.abs(one - k) < Math.abs(densities[best]! - k)) best = i;
  });
  return best;
}

/** Edges of the cells around densities: halfway between neighbours, as far beyond the first and the last, a tenth around a single one. One more than densities. */
export function cellEdges(densities: readonly number[]): readonly number[] {
  if (densities.length === 1) return [densities[0]! - 0.1, densities[0]! + 0.1];
  const inner = densities.slice(1).map((one, i) => (one + densities[i]!) / 2);
  const first = densities[0]! - (inner[0]! - densities[0]!);
  const last = densities.at(-1)! + (densities.at(-1)! - inner.at(-1)!);
  return [first, ...inner, last];
}

/** A row per cell; `axes` name the densities, `label` a figure and what it is a share of. */
export function surfaceTable(surface: Surface, axes: readonly [string, string], label: (figure: SurfaceFigure) => string): Table {
  const { densitiesX, densitiesY } = surface;
  const inCell = (figure: SurfaceFigure, ix: number, iy: number): TableCell => {
    const estimate: Estimate = { ...surfaceShare(surface, figure, ix, iy), interval: null };
    return { kind: 'share', share: estimate };
  };
  return {
    columns: [
      { label: axes[0], kind: 'text' },
      { label: axes[1], kind: 'text' },
      { label: 'counted', kind: 'text' },
      { label: 'N', kind: 'count' },
      ...SURFACE_FIGURES.map((figure) => ({ label: label(figure), kind: 'share' as const })),
    ],
    rows: densitiesY.flatMap((ky, iy) =>
      densitiesX.map((kx, ix): TableCell[] => [
        { kind: 'text', text: String(kx) },
        { kind: 'text', text: String(ky) },
        { kind: 'text', text: EXACTNESS[surface.exactness] },
        { kind: 'count', count: surface.counts.numel },
        ...SURFACE_FIGURES.map((figure) => inCell(figure, ix, iy)),
      ]),
    ),
  };
}
