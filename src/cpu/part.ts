/** The passes over one part, block by block: each decodes what it needs, so that between passes a part is its raw bytes. */
import { drawInto } from '../merge/draw';
import { addFigures, emptyFigures, type Figures } from '../merge/figures';
import { traitsOf } from '../recipe/methods';
import { rawOf, type Raw } from './decode';
import { createOutput, encodeBlock, type Output } from './encode';
import { INFINITY_KEY, NAN_KEY } from '../reference/select';
import type { BlockMerging } from './block-merging';
import { TYPED_OPS, type BlockOps } from './ops';
import { ManyMerging } from './many';
import { pairOf } from './pair';
import { PairMerging } from './pair-merging';
import type { Decision, MagnitudeSums, MergedPart, PartSpec } from './part-types';
import { decideRare, mergeRare, rareMargins } from './rare';
import { BLOCK, type Scratch } from './scratch';
import { Gathered, KeyList } from './gathered';
import { allKeys, endOf, isNarrow, tallyBlock, type KeyRange, type Tally, type TallyOfAll } from './select';
import { Reserver } from './slack';
import { Cutter, dropBlock, settleNan, type Cut } from './trim';
import type { Workspace } from './workspace';

/** Of a part's keys at most one in 2^3 is set aside for a selection, unless its spec says else: half a byte a value and model. */
const MOST_GATHERED = 3;
/** A scratch of more models than these is not all in the memory of the kernels. */
const MOST_MODELS = 64;

export class Part {
  /** Empty once they are shed. */
  private inputs: readonly (Raw | null)[];
  /** Models that have the part's elements. */
  private readonly present: readonly number[];
  private readonly elects: boolean;
  /** Whether the values themselves are summed, not task vectors. */
  private readonly ofValues: boolean;
  private readonly scratch: Scratch;
  /** Of full blocks, and of what is left of them. */
  private readonly fast: BlockOps;
  private readonly step: number;
  /** D of the whole part, once gathered: every round of the selection asks for it again. */
  private margin: Gathered | null = null;
  /** Per model: the keys of the bracket, where a round told them not yet apart. */
  private readonly gathered = new Map<number, Gathered>();

  /** Throws RangeError when bytes are not `count` values. */
  constructor(
    private readonly spec: PartSpec,
    bytes: readonly (Uint8Array<ArrayBuffer> | null)[],
    { scratch, ops, step }: Workspace,
  ) {
    this.scratch = scratch;
    const fits = spec.dtypes.length - 1 <= MOST_MODELS;
    this.fast = fits ? ops : TYPED_OPS;
    this.step = fits ? step : 1;
    this.inputs = spec.dtypes.map((dtype, input) => {
      const own = bytes[input];
      if (dtype === null || own == null) return null;
      const raw = rawOf(own, dtype);
      if (raw.words.length !== spec.count) throw new RangeError(`input ${input}: ${raw.words.length} values instead of ${spec.count}`);
      return raw;
    });
    this.present = [...this.inputs.keys()].filter((input) => input > 0 && this.inputs[input] !== null).map((input) => input - 1);
    this.elects = traitsOf(spec.method).elects;
    this.ofValues = traitsOf(spec.method).of === 'values';
  }

  private get isShed(): boolean {
    return this.inputs.length === 0;
  }

  /** Lets the inputs go. */
  shed(): void {
    this.inputs = [];
  }

  /** Keys of |tau| of `model`; null where they are shed and what was set aside does not tell. */
  tally(model: number, range: KeyRange): Tally | null {
    if (!this.present.includes(model)) return { counts: new Uint32Array(range.bins), above: 0 };
    const known = this.gathered.get(model)?.tally(range, INFINITY_KEY) ?? null;
    if (known || this.isShed) return known;
    const counts = new Uint32Array(range.bins);
    let above = 0;
    const { bits } = this.scratch.tau(model);
    const { marginKeys } = this.scratch;
    const narrow = isNarrow(range);
    // Bins of one key each tell all apart at once.
    let list = narrow && range.shift > 0 ? this.emptyList() : null;
    this.eachBlock((at, n, ops) => {
      this.loadTau(ops, model, at, n);
      if (!narrow) {
        above += tallyBlock(bits, n, range, INFINITY_KEY, counts);
        return;
      }
      const here = ops.gatherKeys(bits, n, range, INFINITY_KEY, marginKeys);
      above += here.above;
      tallyBlock(marginKeys, here.found, range, INFINITY_KEY, counts);
      if (list && !list.append(marginKeys.subarray(0, here.found))) list = null;
    });
    if (list) this.gathered.set(model, list.gathered(range, above, this.spec.count));
    return { counts, above };
  }

  /** Every `step`-th run of `length` keys of `model`, appended to `sample` from `from` on; returns the end. */
  sampleKeys(model: number, step: number, length: number, sample: Uint32Array, from: number): number {
    let end = from;
    const { bits } = this.scratch.tau(model);
    for (let at = 0; at + length <= this.spec.count && end + length <= sample.length; at += step) {
      this.loadTau(this.fast, model, at, length);
      settleNan(bits, length);
      for (let j = 0; j < length; j++) sample[end++] = bits[j]! & 0x7fffffff;
    }
    return end;
  }

  /** Sums of finite |tau| of `model`, all and kept, in f64 and flat order, on top of `before`. */
  magnitudes(model: number, cut: Cut, { all, kept }: MagnitudeSums): MagnitudeSums {
    const cutter = new Cutter(cut);
    const mask = this.scratch.drawn.fill(1);
    const { f32, bits } = this.scratch.tau(model);
    this.eachBlock((at, n, ops) => {
      this.loadTau(ops, model, at, n);
      settleNan(bits, n);
      const before = cutter.limit;
      const until = cutter.advance(bits, n);
      const after = cutter.limit;
      if (cut.draw) drawInto(cut.draw, cut.draw.first + at, mask, 0, n);
      for (let j = 0; j < n; j++) {
        const magnitude = Math.abs(f32[j]!);
        if (!Number.isFinite(magnitude)) continue;
        all += magnitude;
        if ((bits[j]! & 0x7fffffff) >= (j < until ? before : after) && mask[j] === 1) kept += magnitude;
      }
    });
    return { all, kept };
  }

  /** Keys of the margins of the preferred model's discarded positions; null as for `tally`. */
  margins(decision: Decision, range: KeyRange): TallyOfAll | null {
    const known = this.margin?.tally(range, NAN_KEY) ?? null;
    if (known || this.isShed) return known;
    const all = this.marginKeys(decision);
    const counts = new Uint32Array(range.bins);
    const tally = { counts, above: tallyBlock(all, all.length, range, NAN_KEY, counts), total: all.length };
    this.margin = this.marginsToKeep(all, range, tally.above);
    return tally;
  }

  /** All of them, or, where the part is to be shed, those of the range if they are few. */
  private marginsToKeep(all: Int32Array<ArrayBuffer>, range: KeyRange, above: number): Gathered | null {
    if (this.spec.gathered === undefined) return new Gathered(allKeys(1), all, 0, all.length);
    const list = this.emptyList();
    const within = all.filter((key) => key >= range.low && key < endOf(range));
    for (let at = 0; at < within.length; at += BLOCK) if (!list.append(within.subarray(at, at + BLOCK))) return null;
    return list.gathered(range, above, all.length);
  }

  private emptyList(): KeyList {
    const most = this.spec.gathered ?? this.spec.count >> MOST_GATHERED;
    return new KeyList(this.spec.count >> 5, most, this.spec.gathered !== undefined);
  }

  /** `into`: as for `createOutput`. */
  merge(decision: Decision, into?: ArrayBuffer): MergedPart {
    const { spec, scratch } = this;
    this.gathered.clear();
    this.margin = null;
    const models = spec.dtypes.length - 1;
    const figures = emptyFigures(models);
    figures.numel = spec.count;
    const output = createOutput(spec.outDtype, spec.count, into);
    const cutters = decision.cuts.map((cut) => new Cutter(cut));
    const reserver = this.reserves(decision) ? new Reserver(decision.reserve) : null;
    const merging = this.mergingBy(decision);
    this.eachBlock((at, n, ops) => {
      if (!this.load(ops, decision, at, n)) {
        this.mergeRareBlock(decision, cutters, reserver, at, n, output, figures);
        return;
      }
      this.trim(ops, decision, cutters, at, n, figures);
      merging.merge(ops, at, n, reserver, figures);
      figures.overflow += ops.encodeBlock(scratch.merged.bits, n, output, at);
    });
    merging.count(figures);
    return {
      bytes: new Uint8Array(output.words.buffer, 0, output.words.byteLength),
      figures,
      last: cutters.map(({ last }) => last),
      reservedLast: reserver?.last ?? null,
    };
  }

  private eachBlock(act: (at: number, n: number, ops: BlockOps) => void): void {
    const { fast, step } = this;
    const { count } = this.spec;
    const whole = count - (count % step);
    for (let at = 0; at < whole; at += BLOCK) act(at, Math.min(BLOCK, whole - at), fast);
    if (whole < count) act(whole, count - whole, TYPED_OPS);
  }

  private loadTau(ops: BlockOps, model: number, at: number, n: number): void {
    const { base } = this.scratch;
    ops.decodeBlock(this.inputs[this.spec.origin]!, at, n, base);
    ops.loadTau(this.inputs[model + 1]!, at, n, base, this.scratch.tau(model));
  }

  /** Base and task vectors of a block; false when some value is not finite, or will not be once it is weighted. */
  private load(ops: BlockOps, decision: Decision, at: number, n: number): boolean {
    const { scratch, inputs, spec } = this;
    ops.decodeBlock(inputs[spec.origin] ?? null, at, n, scratch.base);
    let finite = this.present.length > 0 || ops.allFinite(scratch.base.bits, n);
    for (const model of this.present) {
      const tau = scratch.tau(model);
      if (this.ofValues) ops.decodeBlock(inputs[model + 1]!, at, n, scratch.term(model));
      finite = ops.loadTau(inputs[model + 1]!, at, n, scratch.base, tau) && finite;
      const [weight, factor] = [decision.weights[model]!, decision.factors[model]!];
      if (!finite || (Math.abs(weight) <= 1 && factor === 1)) continue;
      const term = scratch.divisor;
      ops.weighBlock(tau.f32, factor, weight, n, term.f32);
      finite &&= ops.allFinite(term.bits, n);
    }
    return finite;
  }

  private trim(ops: BlockOps, { cuts }: Decision, cutters: readonly Cutter[], at: number, n: number, figures: Figures): void {
    for (const model of this.present) {
      const { bits } = this.scratch.tau(model);
      const { draw } = cuts[model]!;
      if (draw) {
        figures.kept[model]! += dropBlock(bits, n, draw, at, this.scratch.drawn);
        continue;
      }
      const cutter = cutters[model]!;
      const before = cutter.limit;
      const until = cutter.advance(bits, n, ops.countEqual);
      figures.kept[model]! += ops.trimBlock(bits, 0, until, before) + (until === n ? 0 : ops.trimBlock(bits, until, n, cutter.limit));
    }
  }

  private reserves({ prefer }: Decision): boolean {
    return this.elects && this.present.includes(prefer);
  }

  private mergingBy(decision: Decision): BlockMerging {
    const { spec, scratch, present } = this;
    const pair = this.elects ? pairOf(present, decision) : null;
    return pair ? new PairMerging(pair, decision.prefer, scratch) : new ManyMerging(spec.method, present, decision, scratch);
  }

  /** Of all discarded positions of the preferred model, in no order that counts; no keys where nothing is given back. */
  marginKeys(decision: Decision): Int32Array<ArrayBuffer> {
    if (!this.reserves(decision)) return new Int32Array();
    const { scratch } = this;
    const cutters = decision.cuts.map((cut) => new Cutter(cut));
    const list = new KeyList(this.spec.count >> 3, this.spec.count);
    const merging = this.mergingBy(decision);
    this.eachBlock((at, n, ops) => {
      if (!this.load(ops, decision, at, n)) {
        list.append(rareMargins(decideRare(this.rareBlock(at, n), decision, cutters), decision.prefer).keys);
        return;
      }
      this.trim(ops, decision, cutters, at, n, emptyFigures(cutters.length));
      list.append(scratch.marginKeys.subarray(0, merging.gather(ops, n)));
    });
    return list.keys();
  }

  private rareBlock(at: number, n: number) {
    return { spec: this.spec, inputs: this.inputs, at, n };
  }

  private mergeRareBlock(decision: Decision, cutters: readonly Cutter[], reserver: Reserver | null, at: number, n: number, output: Output, figures: Figures): void {
    const block = mergeRare(this.rareBlock(at, n), decision, cutters, reserver);
    addFigures(figures, { ...block.figures, numel: 0 });
    figures.overflow += encodeBlock(block.merged, n, output, at);
  }
}
