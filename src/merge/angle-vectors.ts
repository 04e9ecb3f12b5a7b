/**
 * NuSLERP and model stock by rows or columns, on any backend: every vector along a tensor's last dimension (rows), or along all
 * but its last (columns), has angles and weights of its own. Weights by column are no backend's, so the host forms theta_m in f32
 * (merging.md section 7) and the backend rounds it to the output dtype.
 */
import type { AngleRule } from '../recipe/angles';
import type { TensorParameters, Vectors } from '../recipe/types';
import type { Backend, Group, GroupResult, MergeOptions, ReadSegment, Segment, WriteSegment } from './backend';
import { emptyFigures, type Figures } from './figures';
import { countBlock, resultOf, signsOf } from './masks/count';
import { partsOf, Reading, SlotVectors, type Block, type Part } from './masks/vectors';

type Kind = Exclude<Vectors, 'tensor'>;

/** What the backend is told of a tensor that is merged already: it copies its base. */
const FORMED: TensorParameters = { weight: [1], density: [1], lambda: 1, normalize: false, rescale: false };

/** Merges a group, every slot by the `vectors` of its parameters. */
export async function mergeByVectors(
  backend: Backend,
  rule: AngleRule,
  group: Group,
  parameters: readonly TensorParameters[],
  read: ReadSegment,
  write: WriteSegment,
  options: MergeOptions = {},
): Promise<GroupResult> {
  const parts = partsOf(group);
  const reading = new Reading(group, read);
  const weights: VectorWeights[] = [];
  const figures: Figures[][] = [];
  for (const [s, slot] of group.slots.entries()) {
    const own = new VectorWeights(slot.row ?? slot.elements, slot.row === undefined ? 'rows' : (parameters[s]!.vectors ?? 'rows'), slot.elements);
    const counted = new Map<Part, Figures>(parts[s]!.map((part) => [part, emptyFigures(slot.inputs.length - 1)]));
    await new SlotVectors(slot, parts[s]!, reading.look, options.signal).each((block) => {
      own.add(block);
      const into = counted.get(block.part)!;
      countBlock(into, block, signsOf(block, null), null);
      block.nonfinite().forEach((count, input) => (into.nonfinite[input]! += count));
    });
    own.settle(rule, parameters[s]!.weight);
    weights.push(own);
    figures.push([...counted.values()]);
  }
  const { formed, originals } = formedGroup(group, parts);
  const form: ReadSegment = async (segment) => {
    const part = originals.get(segment)!;
    const theta = new Float32Array(part.segment.count);
    const { slot } = part.segment;
    await new SlotVectors(group.slots[slot]!, [part], reading.look, options.signal).each((block) => theta.set(weights[slot]!.merged(block), block.begin - part.begin));
    reading.forget(part.segment, group.slots[slot]!.inputs.length);
    return new Uint8Array(theta.buffer);
  };
  const result = await backend.merge(formed, group.slots.map(() => FORMED), form, (segment, bytes) => write(originals.get(segment)!.segment, bytes), options);
  for (const [s, own] of parts.entries()) own.forEach(({ chunk, index }, p) => (figures[s]![p]!.overflow = result.segments[chunk]![index]!.overflow));
  return resultOf(group, parts, figures);
}

/** The group of the values that are formed: each slot's base, and a model that takes no part. */
function formedGroup({ slots, chunks }: Group, parts: readonly (readonly Part[])[]) {
  const originals = new Map<Segment, Part>();
  const formed: Group = {
    method: 'task_arithmetic',
    slots: slots.map(({ name, elements, outDtype }) => ({ name, elements, outDtype, inputs: ['F32', null], modelElements: [0] })),
    chunks: chunks.map((segments, chunk) =>
      segments.map((segment, index) => {
        const own: Segment = { slot: segment.slot, first: segment.first, count: segment.count, present: [true, false] };
        originals.set(own, parts[segment.slot]!.find((part) => part.chunk === chunk && part.index === index)!);
        return own;
      }),
    ),
  };
  return { formed, originals };
}

/** The weights of a slot, vector by vector and for every set of models that has some of one. */
class VectorWeights {
  private readonly count: number;
  /** By the models present: products of each vector, models times models. */
  private readonly products = new Map<string, Float64Array>();
  /** By the models present: weights of each vector, a number a model, f32. */
  private readonly weights = new Map<string, Float32Array>();

  constructor(
    private readonly row: number,
    private readonly kind: Kind,
    elements: number,
  ) {
    this.count = kind === 'columns' ? row : Math.ceil(elements / row);
  }

  /** Adds a block's products; positions where some value is not finite are left out: one would undo all the others. */
  add(block: Block): void {
    const here = present(block);
    const n = here.length;
    const key = here.join();
    const into = this.products.get(key) ?? new Float64Array(this.count * n * n);
    this.products.set(key, into);
    const taus = finiteOf(here.map((model) => block.taus[model]!));
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        this.eachRun(block, (vector, from, to) => addProduct(taus[i]!, taus[j]!, from, to, into, vector * n * n + i * n + j, this.kind === 'columns' ? n * n : 0));
      }
    }
  }

  /** Runs of a block: of one row, or of neighbouring columns from `vector` on. */
  private eachRun({ first, count }: Block, visit: (vector: number, from: number, to: number) => void): void {
    for (let p = 0; p < count; ) {
      const inRow = (first + p) % this.row;
      const end = Math.min(count, p + this.row - inRow);
      visit(this.kind === 'columns' ? inRow : Math.floor((first + p) / this.row), p, end);
      p = end;
    }
  }

  settle(rule: AngleRule, given: readonly number[]): void {
    for (const [key, products] of this.products) {
      const here = key === '' ? [] : key.split(',').map(Number);
      const n = here.length;
      const weights = new Float32Array(this.count * n);
      for (let at = 0; at < products.length; at += n * n) for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) products[at + j * n + i] = products[at + i * n + j]!;
      const own = here.map((model) => given[model]!);
      for (let v = 0; v < this.count; v++) {
        const found = n < 2 ? [1] : rule(products.subarray(v * n * n, (v + 1) * n * n), own);
        for (let i = 0; i < n; i++) weights[v * n + i] = found[i]!;
      }
      this.weights.set(key, weights);
    }
    this.products.clear();
  }

  /** theta_m of a block, in f32 and model order; the base's own value where nothing is added. */
  merged(block: Block): Float32Array {
    const here = present(block);
    const n = here.length;
    const weights = this.weights.get(here.join())!;
    const taus = here.map((model) => block.taus[model]!);
    const merged = new Float32Array(block.count);
    const step = this.kind === 'columns' ? n : 0;
    for (const [i, tau] of taus.entries()) this.eachRun(block, (vector, from, to) => addWeighted(tau, weights, vector * n + i, step, from, to, merged));
    for (let p = 0; p < merged.length; p++) merged[p] = merged[p] === 0 ? block.base[p]! : block.base[p]! + merged[p]!;
    return merged;
  }
}

/** The product of a[from..to) and b there goes to one place of `into`, or to places `step` apart. */
function addProduct(a: Float32Array, b: Float32Array, from: number, to: number, into: Float64Array, at: number, step: number): void {
  if (step > 0) {
    for (let p = from, place = at; p < to; p++, place += step) into[place]! += a[p]! * b[p]!;
    return;
  }
  let sum = into[at]!;
  for (let p = from; p < to; p++) sum += a[p]! * b[p]!;
  into[at] = sum;
}

/** e + w * tau, two f32 operations; weights from place `at` on, `step` apart. */
function addWeighted(tau: Float32Array, weights: Float32Array, at: number, step: number, from: number, to: number, e: Float32Array): void {
  for (let p = from, place = at; p < to; p++, place += step) e[p] = e[p]! + Math.fround(weights[place]! * tau[p]!);
}

/** With 0 in all of them where one is not finite. */
function finiteOf(taus: readonly Float32Array[]): readonly Float32Array[] {
  const isOdd = (tau: Float32Array) => tau.some((value) => !Number.isFinite(value));
  if (!taus.some(isOdd)) return taus;
  return taus.map((tau) => tau.map((value, p) => (taus.every((other) => Number.isFinite(other[p]!)) ? value : 0)));
}

const present = ({ taus }: Block) => [...taus.keys()].filter((model) => taus[model] !== null);
