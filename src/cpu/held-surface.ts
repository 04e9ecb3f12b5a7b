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
/** One count in all of them. */
const REGIMES = 1 | (1 << X_ALONE) | (1 << Y_ALONE) | (1 << BOTH);

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
function regimesAt(cuts: readonly (Cut | null)[], x: number, y: number, p: number): number {
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

/** What positions count for: of each, an index into the different words that there are. */
export interface Kinds {
  readonly words: readonly number[];
  readonly ofPosition: Int32Array;
}

/** Kinds of the positions of two models, into `kinds`. */
export function kindsOfClasses(classes: Uint8Array, ofClasses: Int32Array, kinds: Int32Array): Kinds {
  const words = [...new Set(ofClasses)];
  const ofClass = ofClasses.map((word) => words.indexOf(word));
  for (let p = 0; p < classes.length; p++) kinds[p] = ofClass[classes[p]!]!;
  return { words, ofPosition: kinds };
}

/** Kinds of the positions of any number of models, into `kinds`; see `regimesAt`. */
export function kindsOfMany(cuts: readonly (Cut | null)[], x: number, y: number, length: number, kinds: Int32Array): Kinds {
  const ids = new Map<number, number>();
  for (let p = 0; p < length; p++) {
    const word = regimesAt(cuts, x, y, p);
    const known = ids.get(word);
    if (known === undefined) ids.set(word, ids.size);
    kinds[p] = known ?? ids.size - 1;
  }
  return { words: [...ids.keys()], ofPosition: kinds };
}

/** Counts of one slot at every pair of densities; `kinds` hold whatever the densities of x and y are. */
export function surfaceOf({ length, models }: HeldSlot, { x, y, densitiesX, densitiesY }: SurfaceRequest, { words, ofPosition }: Kinds): SlotSurface {
  const [nx, ny] = [densitiesX.length, densitiesY.length];
  const surface = emptySurface(nx, ny);
  surface.numel = length;
  const [axisX, axisY] = [axisOf(models[x] ?? null, densitiesX, length), axisOf(models[y] ?? null, densitiesY, length)];
  for (const [axis, kept, nonzero] of [[axisX, surface.keptX, surface.nonzeroX], [axisY, surface.keptY, surface.nonzeroY]] as const) {
    kept.set(axis.kept);
    nonzero.set(nonzeroOf(axis));
  }
  const width = nx + 1;
  const size = width * (ny + 1);
  const tally = new Int32Array(words.length * size);
  countCells(axisX, axisY, ofPosition, width, size, tally);
  for (const [f, name] of COUNTED.entries()) {
    const sums: Sums = { cells: new Int32Array(size), alongX: new Int32Array(width), alongY: new Int32Array(ny + 1), always: 0 };
    for (const [kind, word] of words.entries()) addKind(sums, (word >>> f) & REGIMES, tally.subarray(kind * size, (kind + 1) * size), width);
    addUp(sums, nx, ny, surface[name]);
  }
  return surface;
}

/** Where a position's regimes begin, per kind. */
function countCells(x: Axis, y: Axis, kinds: Int32Array, width: number, size: number, tally: Int32Array): void {
  for (let p = 0; p < x.of.length; p++) tally[kinds[p]! * size + y.of[p]! * width + x.of[p]!]!++;
}

/** Differences of one count: at a cell for all beyond it in both directions, along one axis, and everywhere. */
interface Sums {
  readonly cells: Int32Array;
  readonly alongX: Int32Array;
  readonly alongY: Int32Array;
  always: number;
}

/** Adds the positions of one kind; `word` has the lowest bit of each regime. */
function addKind(sums: Sums, word: number, counts: Int32Array, width: number): void {
  if (word === 0) return;
  const none = word & 1;
  const onlyX = ((word >>> X_ALONE) & 1) - none;
  const onlyY = ((word >>> Y_ALONE) & 1) - none;
  const both = ((word >>> BOTH) & 1) - onlyX - onlyY - none;
  for (let at = 0, iy = 0; iy < sums.alongY.length; iy++) {
    for (let ix = 0; ix < width; ix++, at++) {
      const count = counts[at]!;
      if (count === 0) continue;
      sums.always += none * count;
      sums.alongX[ix]! += onlyX * count;
      sums.alongY[iy]! += onlyY * count;
      sums.cells[at]! += both * count;
    }
  }
}

/** One axis of the grid. */
interface Axis {
  readonly tau: Float32Array | null;
  /** Per position: the first density that keeps it; as many as there are densities where none does. */
  readonly of: Uint16Array;
  /** K per density. */
  readonly kept: Float64Array;
}

function axisOf(model: HeldModel | null, densities: readonly number[], length: number): Axis {
  const of = new Uint16Array(length).fill(densities.length);
  if (model === null) return { tau: null, of, kept: new Float64Array(densities.length) };
  const { tau, rank, count } = model;
  const kept = Float64Array.from(densities, (density) => Math.min(count, keptCount(density, count)));
  const ofRank = new Uint16Array(count).fill(densities.length);
  for (let i = kept.length - 1; i >= 0; i--) ofRank.fill(i, 0, kept[i]);
  for (let p = 0; p < length; p++) {
    const place = rank[p]!;
    if (place < count) of[p] = ofRank[place]!;
  }
  return { tau, of, kept };
}

function nonzeroOf({ tau, of, kept }: Axis): Float64Array {
  const counts = new Float64Array(kept.length + 1);
  if (tau !== null) for (let p = 0; p < tau.length; p++) counts[of[p]!]! += Number(tau[p] !== 0);
  for (let i = 1; i < kept.length; i++) counts[i]! += counts[i - 1]!;
  return counts.subarray(0, kept.length);
}

/** Sums of the differences over both axes. */
function addUp({ cells, alongX, alongY, always }: Sums, nx: number, ny: number, into: Float64Array): void {
  let fromY = always;
  for (let iy = 0; iy < ny; iy++) {
    fromY += alongY[iy]!;
    let row = 0;
    let fromX = 0;
    for (let ix = 0; ix < nx; ix++) {
      const at = iy * (nx + 1) + ix;
      row += cells[at]!;
      // In place: the row above holds its sums already.
      cells[at] = row + (iy === 0 ? 0 : cells[at - (nx + 1)]!);
      fromX += alongX[ix]!;
      into[iy * nx + ix] = fromY + fromX + cells[at];
    }
  }
}
