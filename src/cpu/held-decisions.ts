/** Decisions of a held slot, kept until a parameter that they depend on changes: lambda and normalize change no figure. */
import type { Kept, SlotResult } from '../merge/backend';
import { addFigures, emptyFigures, type Figures } from '../merge/figures';
import { traitsOf } from '../recipe/methods';
import type { Method, TensorParameters } from '../recipe/types';
import { countMany, discardedOfMany, sumTerms, trimInto } from './held-many';
import { classify, countPair, discardedPlaces } from './held-pair';
import { cutsOf, keptSet, type Cut, type HeldSlot, type Scratch } from './held-slot';
import { marginsOf, reserve, type Margins } from './held-slack';

type Slack = NonNullable<TensorParameters['slack']>;

/** What trimming and electing give. */
interface Trimmed {
  readonly key: string;
  readonly cuts: readonly (Cut | null)[];
  readonly kept: readonly (Kept | null)[];
  /** Per run, before reserving. */
  readonly figures: readonly Figures[];
}

export class Decisions {
  private trimmed: Trimmed | null = null;
  private margins: { readonly of: Trimmed; readonly prefer: number; readonly found: Margins } | null = null;
  private classified: { readonly weights: string; readonly classes: Uint8Array } | null = null;
  private readonly elects: boolean;

  constructor(
    private readonly method: Method,
    private readonly held: HeldSlot,
    private readonly scratch: Scratch,
  ) {
    this.elects = traitsOf(method).elects;
  }

  /** Figures per run and selections; the caller may change the figures. */
  decide(parameters: TensorParameters): SlotResult & { readonly runs: readonly Figures[] } {
    const { figures, kept, cuts } = this.trim(parameters);
    const runs = figures.map(copyOf);
    const slack = this.slackOf(parameters, cuts);
    const reserved = slack && reserve(this.held, cuts, slack, this.marginsFor(parameters, slack.prefer), runs);
    const total = emptyFigures(cuts.length);
    for (const run of runs) addFigures(total, run);
    return { figures: total, kept, reserved, runs };
  }

  /** The slack that acts: of TIES-SV, and where the preferred model takes part. */
  slackOf({ slack }: TensorParameters, cuts: readonly (Cut | null)[]): Slack | null {
    return traitsOf(this.method).slack && slack !== undefined && cuts[slack.prefer] != null ? slack : null;
  }

  trim(parameters: TensorParameters): Trimmed {
    const { weight, density, kept, rescale } = parameters;
    const key = this.elects ? JSON.stringify([weight, kept ?? null, density, rescale]) : '';
    if (this.trimmed?.key === key) return this.trimmed;
    const { held, elects, scratch } = this;
    const cuts = cutsOf(held, elects, parameters);
    let count: (run: HeldSlot['runs'][number]) => Figures;
    const pair = pairOf(cuts);
    if (pair) {
      const classes = this.classes(pair);
      count = ({ begin, end }) => countPair(...pair, classes, begin, end, elects);
    } else {
      const trimmed = this.trimInto(cuts);
      const e = elects ? this.sum(cuts, trimmed) : null;
      count = (run) => countMany(cuts, trimmed, e, run, scratch.bytes);
    }
    const figures = held.runs.map((run, r) => ({ ...count(run), nonfinite: [...held.nonfinite[r]!] }));
    return (this.trimmed = { key, cuts, kept: keptSet(held, cuts), figures });
  }

  /** D of model `prefer`, which must take part. */
  marginsFor(parameters: TensorParameters, prefer: number): Margins {
    const of = this.trim(parameters);
    if (this.margins?.of === of && this.margins.prefer === prefer) return this.margins.found;
    const { held, scratch } = this;
    const places = scratch.words[0];
    const pair = pairOf(of.cuts);
    let count: number;
    if (pair) count = discardedPlaces(...pair, this.classes(pair), prefer === 0 ? 0 : 1, places);
    else {
      count = discardedOfMany(of.cuts[prefer]!, this.sum(of.cuts, this.trimInto(of.cuts)), places);
    }
    const found = marginsOf(held, of.cuts, places.subarray(0, count));
    this.margins = { of, prefer, found };
    return found;
  }

  /** tau^ per model, in the scratch. */
  private trimInto(cuts: readonly (Cut | null)[]): (Float32Array | null)[] {
    return cuts.map((cut, model) => cut && trimInto(cut, this.scratch.trimmed(model)));
  }

  /** e, in the scratch. */
  private sum(cuts: readonly (Cut | null)[], trimmed: readonly (Float32Array | null)[]): Float32Array {
    const e = this.scratch.e.subarray(0, this.held.length);
    sumTerms(cuts, trimmed, e);
    return e;
  }

  /** Per position, what two models do there at these weights. */
  classes([a, b]: readonly [Cut, Cut]): Uint8Array {
    const weights = `${a.weight} ${b.weight}`;
    if (this.classified?.weights === weights) return this.classified.classes;
    const classes = this.classified?.classes ?? new Uint8Array(this.held.length);
    classify(a.tau, b.tau, a.weight, b.weight, classes);
    this.classified = { weights, classes };
    return classes;
  }
}

/** Two models, and nothing that makes values depend on what is kept. */
export function pairOf(cuts: readonly (Cut | null)[]): [Cut, Cut] | null {
  const [a, b] = cuts;
  return cuts.length === 2 && a && b && a.factor === 1 && b.factor === 1 ? [a, b] : null;
}

function copyOf(figures: Figures): Figures {
  const copy = emptyFigures(figures.kept.length);
  addFigures(copy, figures);
  return copy;
}
