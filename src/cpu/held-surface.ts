/**
 * surface: every pair of densities from one pass (architecture.md, idea 7). Sets are nested in k: a value is kept from one
 * density of its axis on, and what a position counts for depends on whether x and y are kept there, four regimes. The
 * differences between these, put where the regimes begin, add up to the counts of every cell.
 */
import { keptCount } from '../merge/backend';
import type { SlotSurface, SurfaceRequest } from '../merge/exploring';
import { emptySurface } from '../merge/sweeps';
import { ALONE_A, AGREES_A, CLASSES, NONZERO_A, OPPOSITE } from './held-pair';
import { termAt, type Cut, type HeldModel, type HeldSlot } from './held-slot';

/** Counted in each regime, a bit each, in this order. */
const COUNTED = ['conflict', 'wonX', 'wonY', 'discardedX', 'discardedY'] as const;
const BITS = COUNTED.length;
/** Regimes: neither kept, x alone, y alone, both; BITS bits of a word each. */
const X_ALONE = BITS;
const Y_ALONE = 2 * BITS;
const BOTH = 3 * BITS;

/** Regimes of a position of each class of two models; `x` is model A or, when `swapped`, model B. */
export function regimesOfClasses(swapped: boolean): Int32Array {
  return Int32Array.from({ length: CLASSES }, (_, own) => {
    const bit = (ofA: number, axis: 0 | 1) => (own & (ofA << ((axis === 1) === swapped ? 0 : 1))) !== 0;
    const opposite = (own & OPPOSITE) !== 0;
    const counted = (axis: 0 | 1, agrees: boolean) => {
      const won = Number(opposite && agrees) << (1 + axis);
      return won | (Number(bit(NONZERO_A, axis) && !agrees) << (3 + axis));
    };
    const alone = (axis: 0 | 1) => counted(axis, bit(ALONE_A, axis)) & (0b11 << 3);
    const both = Number(opposite) | counted(0, bit(AGREES_A, 0)) | counted(1, bit(AGREES_A, 1));
    return (alone(0) << X_ALONE) | (alone(1) << Y_ALONE) | (both << BOTH);
  });
}

/** Regimes of a position of any number of models, the others kept or not as `cuts` say. Null stands for a model that takes no part. */
export function regimesAt(cuts: readonly (Cut | null)[], x: number, y: number, p: number): number {
  let word = 0;
  for (let regime = 0; regime < 4; regime++) word |= countedAt(cuts, x, y, (regime & 1) !== 0, (regime & 2) !== 0, p) << (BITS * regime);
  return word;
}

function countedAt(cuts: readonly (Cut | null)[], x: number, y: number, keepsX: boolean, keepsY: boolean, p: number): number {
  let e = 0;
  let signs = 0;
  let [termX, termY, tauX, tauY] = [0, 0, 0, 0];
  for (let model = 0; model < cuts.length; model++) {
    const cut = cuts[model]!;
    if (cut === null || cut.rank[p]! >= cut.kept || (model === x && !keepsX) || (model === y && !keepsY)) continue;
    const tau = cut.tau[p]!;
    const term = termAt(cut, p);
    e = Math.fround(e + term);
    signs |= Number(tau > 0) | (Number(tau < 0) << 1);
    if (model === x) [termX, tauX] = [term, tau];
    if (model === y) [termY, tauY] = [term, tau];
  }
  const elected = e >= 0 ? 1 : -1;
  const conflict = Number(signs === 3);
  const agreesX = Number(termX * elected > 0);
  const agreesY = Number(termY * elected > 0);
  const droppedX = Number(tauX !== 0) & (1 - agreesX);
  const droppedY = Number(tauY !== 0) & (1 - agreesY);
  return conflict | ((conflict & agreesX) << 1) | ((conflict & agreesY) << 2) | (droppedX << 3) | (droppedY << 4);
}

/** Counts of one slot at every pair of densities; `regimes` tells those of a position whatever the densities of x and y are. */
export function surfaceOf({ length, models }: HeldSlot, { x, y, densitiesX, densitiesY }: SurfaceRequest, regimes: (p: number) => number): SlotSurface {
  const [nx, ny] = [densitiesX.length, densitiesY.length];
  const surface = emptySurface(nx, ny);
  surface.numel = length;
  const [axisX, axisY] = [axisOf(models[x] ?? null, densitiesX), axisOf(models[y] ?? null, densitiesY)];
  for (const [axis, kept, nonzero] of [[axisX, surface.keptX, surface.nonzeroX], [axisY, surface.keptY, surface.nonzeroY]] as const) {
    kept.set(axis.kept);
    nonzero.set(nonzeroOf(axis));
  }
  const width = nx + 1;
  const cells = COUNTED.map(() => new Int32Array(width * (ny + 1)));
  const alongX = COUNTED.map(() => new Int32Array(width));
  const alongY = COUNTED.map(() => new Int32Array(ny + 1));
  const always = COUNTED.map(() => 0);
  for (let p = 0; p < length; p++) {
    const word = regimes(p);
    if (word === 0) continue;
    const [ix, iy] = [binOf(axisX, p), binOf(axisY, p)];
    for (let f = 0; f < BITS; f++) {
      const none = (word >>> f) & 1;
      const onlyX = ((word >>> (X_ALONE + f)) & 1) - none;
      const onlyY = ((word >>> (Y_ALONE + f)) & 1) - none;
      always[f]! += none;
      alongX[f]![ix]! += onlyX;
      alongY[f]![iy]! += onlyY;
      cells[f]![iy * width + ix]! += ((word >>> (BOTH + f)) & 1) - onlyX - onlyY - none;
    }
  }
  for (const [f, name] of COUNTED.entries()) addUp(cells[f]!, alongX[f]!, alongY[f]!, always[f]!, nx, ny, surface[name]);
  return surface;
}

/** An axis: the value at `p` is kept from density `bins[rank[p]]` on. */
interface Axis {
  readonly tau: Float32Array;
  readonly rank: Int32Array;
  /** By rank. */
  readonly bins: Uint16Array;
  /** K per density. */
  readonly kept: Float64Array;
}

function axisOf(model: HeldModel | null, densities: readonly number[]): Axis {
  if (model === null) return { tau: new Float32Array(), rank: new Int32Array(), bins: new Uint16Array(), kept: new Float64Array(densities.length) };
  const { tau, rank, count } = model;
  const bins = new Uint16Array(count).fill(densities.length);
  const kept = Float64Array.from(densities, (density) => Math.min(count, keptCount(density, count)));
  for (let i = kept.length - 1; i >= 0; i--) bins.fill(i, 0, kept[i]);
  return { tau, rank, bins, kept };
}

/** The number of densities where none keeps it. */
function binOf({ rank, bins, kept }: Axis, p: number): number {
  const place = rank[p]!;
  return place < bins.length ? bins[place]! : kept.length;
}

function nonzeroOf(axis: Axis): Float64Array {
  const counts = new Float64Array(axis.kept.length + 1);
  for (let p = 0; p < axis.tau.length; p++) counts[binOf(axis, p)]! += Number(axis.tau[p] !== 0);
  for (let i = 1; i < axis.kept.length; i++) counts[i]! += counts[i - 1]!;
  return counts.subarray(0, axis.kept.length);
}

/** Sums of differences over both axes. */
function addUp(cells: Int32Array, alongX: Int32Array, alongY: Int32Array, always: number, nx: number, ny: number, into: Float64Array): void {
  let fromY = always;
  for (let iy = 0; iy < ny; iy++) {
    fromY += alongY[iy]!;
    let row = 0;
    let fromX = 0;
    for (let ix = 0; ix < nx; ix++) {
      const at = iy * (nx + 1) + ix;
      row += cells[at]!;
      // In place: the row above holds its sums already.
      const above = iy === 0 ? 0 : cells[at - (nx + 1)]!;
      cells[at] = row + above;
      fromX += alongX[ix]!;
      into[iy * nx + ix] = fromY + fromX + cells[at];
    }
  }
}
