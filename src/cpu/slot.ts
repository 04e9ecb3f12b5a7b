/** Deciding one slot: what trimming keeps, what rescaling multiplies by and what the slack gives back, part by part. */
import { keptOf, reservedOf, type Slot } from '../merge/backend';
import { drawOf, type Draw } from '../merge/draw';
import { traitsOf } from '../recipe/methods';
import type { Method, TensorParameters } from '../recipe/types';
import { inOrder } from './in-order';
import { elementsOf, type Piece } from './layout';
import { Part } from './part';
import type { Crew, Decision, MagnitudeSums, PartPasses } from './part-types';
import { rescaleFactor } from './rescale';
import { addCounts, allKeys, binsFor, bracket, narrow, type Found, type KeyRange, type Tally } from './select';
import { NAN_KEY } from '../reference/select';
import { SlotSample } from './sample';
import type { Look, PartStore } from './store';
import { NOTHING, WHOLE, type Cut } from './trim';
import type { Workspace } from './workspace';

/** Keys that the bracket of a slot is drawn from, in runs of this many neighbours (half a cache line of bf16). */
const SAMPLE_KEYS = 2 ** 14;
const SAMPLE_RUN = 16;
/** Fewer keys than this are counted whole as quickly as a sample is drawn and sorted. */
export const LEAST_SAMPLED = 2 ** 20;

export interface SlotJob {
  readonly method: Method;
  readonly slot: Slot;
  readonly parameters: TensorParameters;
  /** Its parts, in order. */
  readonly pieces: readonly Piece[];
  readonly store: PartStore;
  readonly crew: Crew;
  /** Lets other events in, or rejects when the merge is cancelled. */
  readonly pause: () => Promise<void>;
  readonly workspace: Workspace;
}
export interface DecidedSlot {
  /** Per part. */
  readonly decisions: readonly Decision[];
  /** Per model: the threshold; null for one that takes no part, undefined where nothing is trimmed. */
  readonly thresholds: readonly (number | null | undefined)[];
  /** On complemented keys; null without slack, undefined where nothing is given back. */
  readonly reserveThreshold: number | null | undefined;
}

/** One selection under way: the `count` largest keys of one model, or of the margins. */
interface Selection {
  readonly count: number;
  readonly most: number;
  range: KeyRange;
  found: Found | null;
  /** Per part: keys equal to the threshold. */
  ties: readonly number[];
}
const selection = (count: number, most: number, range: KeyRange): Selection => ({ count, most, range, found: null, ties: [] });

export async function decideSlot(job: SlotJob): Promise<DecidedSlot> {
  const { method, slot, parameters, pieces } = job;
  const { kept, thresholds, decide, sample } = await trimSlot(job);
  const nothing = pieces.map(() => NOTHING);
  const slack = traitsOf(method).slack ? parameters.slack : undefined;
  if (slack === undefined || slot.inputs[slack.prefer + 1] == null) return { decisions: decide(nothing, -1), thresholds, reserveThreshold: null };
  const { prefer } = slack;
  const reserved = await reserve(job, decide(nothing, prefer), sample, (discarded) => reservedOf(slack, kept[prefer]!, discarded));
  return { decisions: decide(reserved ? cutsOf(pieces.length, reserved) : nothing, prefer), thresholds, reserveThreshold: reserved?.found?.threshold };
}

/** What trimming and rescaling decide, before anything is given back. */
export interface TrimmedSlot extends Pick<DecidedSlot, 'thresholds'> {
  /** Of a slot that is not kept and large enough. */
  readonly sample: SlotSample | null;
  /** Per model: K_i. */
  readonly kept: readonly number[];
  /** Per part; `reserve` is that of each part. */
  decide(reserve: readonly Cut[], prefer: number): Decision[];
}

export async function trimSlot(job: SlotJob): Promise<TrimmedSlot> {
  const { method, slot, parameters, pieces, store } = job;
  const models = slot.inputs.length - 1;
  const { keeps } = traitsOf(method);
  const trimmed = new Map<number, Selection>();
  const kept: number[] = [];
  for (let model = 0; model < models; model++) {
    const elements = slot.inputs[model + 1] === null ? 0 : elementsOf(pieces, model);
    const count = keeps === 'largest' ? keptOf(parameters, model, elements) : elements;
    kept.push(count);
    const most = binsFor(elements);
    if (count > 0 && count < elements) trimmed.set(model, selection(count, most, allKeys(most)));
  }
  const isEmptied = (model: number) => keeps === 'largest' && kept[model] === 0 && elementsOf(pieces, model) > 0;
  const sample = await sampleOf(job, trimmed.size > 0);
  if (store.resident && trimmed.size > 0) await guess(job, trimmed);
  if (sample) for (const [model, own] of trimmed) own.range = sample.bracketOf(model, own.count);
  await select(job, [...trimmed.values()], (part) => [...trimmed].filter(([, { found }]) => !found).map(([model, { range }]) => part.tally(model, range)));
  const draws = Array.from({ length: models }, (_, model) => (keeps === 'drawn' ? drawOf(parameters, slot.name, model) : null));
  const cuts = draws.map((draw, model) => {
    if (draw) return drawnCuts(pieces, draw);
    return isEmptied(model) ? pieces.map(() => NOTHING) : cutsOf(pieces.length, trimmed.get(model));
  });
  const factors = Array.from({ length: models }, (_, model) => parameters.factor?.[model] ?? 1);
  if (keeps !== 'all' && parameters.rescale) {
    const fewer = [...factors.keys()].filter((model) => trimmed.has(model) || draws[model] !== null);
    if (parameters.drop?.rescaleBy === 'density') for (const model of fewer) factors[model] = Math.fround(1 / parameters.density[model]!);
    else await rescale(job, fewer, cuts, factors);
  }

  const weights = parameters.weight.map(Math.fround);
  const lambda = Math.fround(parameters.lambda);
  const thresholdOf = (model: number) => {
    if (slot.inputs[model + 1] === null) return null;
    return isEmptied(model) ? NAN_KEY : trimmed.get(model)?.found?.threshold;
  };
  return {
    sample,
    kept,
    thresholds: kept.map((_, model) => thresholdOf(model)),
    decide: (reserve, prefer) =>
      pieces.map((_, p) => ({ cuts: cuts.map((own) => own[p]!), factors, weights, lambda, normalize: parameters.normalize, prefer, reserve: reserve[p]! })),
  };
}

/** Of a slot that is read anew for every pass, and large enough that a sample is worth its reads. */
async function sampleOf({ method, slot, parameters, pieces, store, workspace, pause }: SlotJob, trims: boolean): Promise<SlotSample | null> {
  const selects = trims || (traitsOf(method).slack && parameters.slack !== undefined && parameters.slack.s > 0);
  if (store.resident || !selects || slot.elements < LEAST_SAMPLED) return null;
  return SlotSample.read(pieces, store, workspace, pause);
}

/** Brackets for the selections, from a sample that is drawn as the parts are read. */
async function guess({ pieces, store, workspace, pause }: SlotJob, trimmed: ReadonlyMap<number, Selection>): Promise<void> {
  const samples = new Map<number, { readonly keys: Uint32Array; step: number; length: number }>();
  for (const model of trimmed.keys()) {
    const elements = elementsOf(pieces, model);
    const step = Math.max(SAMPLE_RUN, Math.floor(elements / SAMPLE_KEYS) * SAMPLE_RUN);
    if (elements >= LEAST_SAMPLED) samples.set(model, { keys: new Uint32Array(SAMPLE_KEYS * 2), step, length: 0 });
  }
  const look: Look = ({ spec }, inputs) => {
    if (samples.size === 0) return;
    const part = new Part(spec, inputs, workspace);
    for (const [model, sample] of samples) {
      if (spec.dtypes[model + 1] !== null) sample.length = part.sampleKeys(model, sample.step, SAMPLE_RUN, sample.keys, sample.length);
    }
  };
  for (const piece of pieces) {
    await pause();
    await store.open(piece, look);
  }
  for (const [model, { keys, length }] of samples) {
    const own = trimmed.get(model)!;
    own.range = bracket(keys.subarray(0, length).sort(), own.count, elementsOf(pieces, model), own.most);
  }
}

/** Rounds until every selection is found; `tallies` are those of the selections not yet found, in their order. */
async function select(job: SlotJob, selections: readonly Selection[], tallies: (part: PartPasses) => Promise<Tally | null>[]): Promise<void> {
  for (let open = selections; open.length > 0; open = open.filter(({ found }) => !found)) {
    const sums = open.map(({ range }) => ({ counts: new Uint32Array(range.bins), above: 0 }));
    const perPart: Uint32Array[][] = open.map(() => []);
    await passAround(job, async (part) => whole(await Promise.all(tallies(part))), (results) => {
      for (const [s, { counts, above }] of results.entries()) {
        addCounts(sums[s]!.counts, counts);
        sums[s]!.above += above;
        // Only the last round's are asked for, and its bins are one key wide.
        if (open[s]!.range.shift === 0) perPart[s]!.push(counts);
      }
    });
    for (const [s, own] of open.entries()) advance(own, sums[s]!, perPart[s]!);
  }
  job.store.forget();
}

/** All of them, or null where one is missing. */
const whole = <T>(results: readonly (T | null)[]): T[] | null => (results.includes(null) ? null : (results as T[]));

/** A pass over what was set aside of the parts where that tells everything, over the parts themselves else. */
async function passAround<T>(job: SlotJob, pass: (part: PartPasses, p: number) => Promise<T | null>, take: (result: T) => void): Promise<void> {
  const { pieces, store } = job;
  const shed = whole(pieces.map((piece) => store.shedPart(piece)));
  const told = shed && whole(await Promise.all(shed.map((part, p) => pass(part, p))));
  if (told) return told.forEach(take);
  store.forget();
  // A part that is here tells everything.
  await passOver(job, pass as (part: PartPasses, p: number) => Promise<T>, take, true);
}

function advance(own: Selection, sum: Tally, perPart: readonly Uint32Array[]): void {
  const next = narrow(own.range, sum, own.count, own.most);
  if ('threshold' in next) {
    own.found = next;
    own.ties = perPart.map((counts) => counts[next.threshold - own.range.low]!);
  } else own.range = next;
}

/** The selection of what is given back; null when it is nothing. `countOf` tells how many, of |D|. */
async function reserve(job: SlotJob, decisions: readonly Decision[], sample: SlotSample | null, countOf: (discarded: number) => number): Promise<Selection | null> {
  const most = binsFor(elementsOf(job.pieces, decisions[0]?.prefer ?? -1));
  let own = selection(0, most, sample?.bracketOfMargins(decisions, countOf) ?? allKeys(most));
  for (let round = 0; own.found === null; round++) {
    const sum = { counts: new Uint32Array(own.range.bins), above: 0 };
    let discarded = 0;
    const perPart: Uint32Array[] = [];
    await passAround(job, (part, p) => part.margins(decisions[p]!, own.range), ({ counts, above, total }) => {
      addCounts(sum.counts, counts);
      sum.above += above;
      discarded += total;
      if (own.range.shift === 0) perPart.push(counts);
    });
    if (round === 0) {
      const count = countOf(discarded);
      if (count === 0) break;
      own = selection(count, most, own.range);
    }
    advance(own, sum, perPart);
  }
  job.store.forget();
  return own.count === 0 ? null : own;
}

/** sum |tau| / sum |tau^| of each trimmed model: in flat order, so one part after the other. */
async function rescale(job: SlotJob, models: readonly number[], cuts: readonly (readonly Cut[])[], factors: number[]): Promise<void> {
  const sums = new Map<number, MagnitudeSums>(models.map((model) => [model, { all: 0, kept: 0 }]));
  for (const [p, piece] of job.pieces.entries()) {
    await job.pause();
    const part = await job.store.open(piece);
    for (const model of models) {
      if (piece.spec.dtypes[model + 1] !== null) sums.set(model, await part.magnitudes(model, cuts[model]![p]!, sums.get(model)!));
    }
    job.store.close(piece, part);
  }
  for (const [model, own] of sums) factors[model] = rescaleFactor(own);
}

/** One pass over all parts, read again where they are not kept; `sheds`: as in `PartStore.close`. */
export async function passOver<T>({ pieces, store, crew, pause }: SlotJob, pass: (part: PartPasses, p: number) => Promise<T>, take: (result: T) => void, sheds = false): Promise<void> {
  await inOrder(
    pieces,
    store.resident ? pieces.length : crew.size + 1,
    async (piece, p) => {
      await pause();
      const part = await store.open(piece);
      return { result: pass(part, p).finally(() => store.close(piece, part, sheds)) };
    },
    take,
  );
}

/** Everything that the draw keeps of each part. */
function drawnCuts(pieces: readonly Piece[], draw: Draw): Cut[] {
  return pieces.map(({ segment, offset }) => ({ ...WHOLE, draw: { ...draw, first: segment.first + offset } }));
}

/** Equal keys are taken from the first part on. Without a selection everything is kept. */
function cutsOf(parts: number, own: Selection | undefined): Cut[] {
  if (!own?.found) return new Array<Cut>(parts).fill(WHOLE);
  const { threshold, take } = own.found;
  let left = take;
  return own.ties.map((ties) => {
    if (left > 0 && ties < left) {
      left -= ties;
      return { threshold, take: Infinity };
    }
    const cut = { threshold, take: left };
    left = 0;
    return cut;
  });
}
