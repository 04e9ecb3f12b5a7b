/**
 * Blocks that hold a NaN or an infinity: the reference's own passes on them (merging.md section 8). There are few or none, and
 * what such values do is written down once.
 */
import { countRun } from '../reference/counts';
import { droppedBy } from '../reference/drop';
import { taskVector, type Run, type SlotValues } from '../reference/decode';
import { elect, nonfiniteTerms, sumInModelOrder, weigh } from '../reference/elect';
import { applyTaskVector, averageTaskVectors, disjointMerge, linear } from '../reference/merge';
import { giveBack } from '../reference/slack';
import { prepareTaskVector } from '../reference/trim';
import { drawInto } from '../merge/draw';
import type { Figures } from '../merge/figures';
import { traitsOf } from '../recipe/methods';
import { NAN_KEY } from '../reference/select';
import { countNonfinite, decodeBlock, type Raw } from './decode';
import type { Decision, PartSpec } from './part-types';
import { createLane } from './scratch';
import type { Reserver } from './slack';
import { settleNan, type Cutter } from './trim';

export interface RareBlock {
  readonly spec: PartSpec;
  readonly inputs: readonly (Raw | null)[];
  readonly at: number;
  readonly n: number;
}

/** D of such a block; `places` in the block. */
export interface RareMargins {
  readonly keys: Int32Array<ArrayBuffer>;
  readonly places: Int32Array<ArrayBuffer>;
}

/** Trims and elects a block. The cutters advance over it. */
export function decideRare({ spec, inputs, at, n }: RareBlock, decision: Decision, cutters: readonly Cutter[]) {
  const { method, dtypes, origin } = spec;
  const decoded = inputs.map((raw) => {
    const lane = createLane(n);
    decodeBlock(raw, at, n, lane);
    return lane;
  });
  const slot = { name: '', elements: n, inputs: dtypes, modelElements: dtypes.slice(1).map(() => n), outDtype: spec.outDtype };
  const run: Run = { segment: { slot: 0, first: 0, count: n, present: dtypes.map((dtype) => dtype !== null) }, chunk: 0, place: 0, begin: 0, end: n };
  const models = decoded.slice(1).map(({ f32 }, model) => (inputs[model + 1] === null ? null : f32));
  const values: SlotValues = { slot, runs: [run], length: n, base: decoded[origin]!.f32, models, nonfinite: [] };
  const vectors = models.map((theta, model) => theta && prepareTaskVector(slot, model, [run], taskVector(values, model)));
  const masks = vectors.map((vector, model) => {
    if (!vector) return null;
    const { draw } = decision.cuts[model]!;
    if (draw) {
      const mask = new Uint8Array(n);
      drawInto(draw, draw.first + at, mask, 0, n);
      return droppedBy(slot, vector.tau, mask).mask;
    }
    const cutter = cutters[model]!;
    const bits = new Int32Array(vector.tau.slice().buffer);
    settleNan(bits, n);
    const before = cutter.limit;
    const until = cutter.advance(bits, n);
    const after = cutter.limit;
    return Uint8Array.from(bits, (word, j) => Number((word & 0x7fffffff) >= (j < until ? before : after)));
  });
  const weighted = vectors.map((vector, model) => vector && weigh(vector.tau, masks[model]!, decision.factors[model]!, decision.weights[model]!));
  const e = sumInModelOrder(n, weighted);
  const { elects } = traitsOf(method);
  const special = elects ? nonfiniteTerms(vectors, weighted, decision.weights, n) : null;
  const gamma = elects ? elect(e) : null;
  const nonfinite = inputs.map((raw, input) => (raw === null ? 0 : countNonfinite(decoded[input]!.bits, n)));
  return { values, run, vectors, masks, weighted, e, special, gamma, nonfinite };
}
type RareDecision = ReturnType<typeof decideRare>;

export function rareMargins({ weighted, e, special, gamma }: RareDecision, prefer: number): RareMargins {
  const terms = weighted[prefer];
  if (!terms || !gamma || !special) return { keys: new Int32Array(), places: new Int32Array() };
  const isDiscarded = (p: number) => terms[p] !== 0 && !(terms[p]! * gamma[p]! > 0) && special[p] === 0 && Number.isFinite(e[p]!);
  const places = Int32Array.from([...terms.keys()].filter(isDiscarded));
  const bits = new Int32Array(e.buffer);
  return { keys: places.map((p) => NAN_KEY - (bits[p]! & 0x7fffffff)), places };
}

/** Merges such a block: theta_m in f32 and the block's figures. */
export function mergeRare(block: RareBlock, decision: Decision, cutters: readonly Cutter[], reserver: Reserver | null): { merged: Int32Array; figures: Figures } {
  const { method } = block.spec;
  const decided = decideRare(block, decision, cutters);
  const { values, run, vectors, masks, weighted, e, special, gamma } = decided;
  const reserved = new Uint8Array(block.n);
  if (reserver) {
    const { keys, places } = rareMargins(decided, decision.prefer);
    const given = reserver.reserve(keys, places, keys.length, block.at);
    for (let k = 0; k < given; k++) reserved[places[k]!] = 1;
  }
  const figures = countRun(run, { vectors, kept: masks, weighted, gamma, reserved }, decided.nonfinite);
  const { weights, normalize, lambda } = decision;
  if (traitsOf(method).of === 'values') return { merged: new Int32Array(linear(values, weights, normalize).buffer as ArrayBuffer), figures };
  const tau = gamma ? disjointMerge(weighted, weights, giveBack(gamma, reserved), normalize, special) : averageTaskVectors(values, e, weights, normalize);
  return { merged: new Int32Array(applyTaskVector(values.base, tau, lambda).buffer as ArrayBuffer), figures };
}
