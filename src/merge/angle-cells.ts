/** A group cut where another set of models takes part: angles are between vectors over the same elements. */
import { traitsOf } from '../recipe/methods';
import type { Group, GroupResult, Segment, Slot, SlotResult } from './backend';
import type { SlotDistribution, SlotEffect } from './exploring';
import { addFigures, emptyFigures } from './figures';

/** The group with a slot for every set of models that has some of a tensor's elements. */
export interface Cells {
  readonly group: Group;
  /** Per cell: its slot in the original group. */
  readonly slotOf: readonly number[];
  /** The original of a segment. */
  original(segment: Segment): Segment;
  readonly slots: readonly Slot[];
}

export function cellsOf({ method, slots, chunks }: Group): Cells {
  const cells: { slot: number; present: readonly boolean[]; counts: number[] }[] = [];
  const originals = new Map<Segment, Segment>();
  const cellChunks = chunks.map((chunk) =>
    chunk.map((segment) => {
      const { inputs } = slots[segment.slot]!;
      const present = inputs.map((dtype, input) => dtype !== null && segment.present[input] === true);
      let cell = cells.findIndex((one) => one.slot === segment.slot && one.present.every((has, input) => has === present[input]));
      if (cell < 0) cell = cells.push({ slot: segment.slot, present, counts: inputs.slice(1).map(() => 0) }) - 1;
      const { counts } = cells[cell]!;
      counts.forEach((_, model) => (counts[model]! += present[model + 1] ? segment.count : 0));
      const own = { ...segment, slot: cell, present };
      originals.set(own, segment);
      return own;
    }),
  );
  return {
    group: {
      method: traitsOf(method).of === 'values' ? 'linear' : 'task_arithmetic',
      slots: cells.map(({ slot, present, counts }) => {
        const of = slots[slot]!;
        return { ...of, inputs: of.inputs.map((dtype, input) => (present[input] ? dtype : null)), modelElements: counts };
      }),
      chunks: cellChunks,
    },
    slotOf: cells.map(({ slot }) => slot),
    original: (segment) => originals.get(segment)!,
    slots,
  };
}

/** The cells' results as those of their slots. Nothing is trimmed, so what is kept is everything. */
export function sumResults({ slots, slotOf }: Cells, { slots: cells, segments }: GroupResult): GroupResult {
  const results = slots.map(({ inputs, elements }): SlotResult => ({
    figures: emptyFigures(inputs.length - 1),
    kept: inputs.slice(1).map((dtype) => (dtype === null ? null : { threshold: 0, cutoff: elements })),
    reserved: null,
  }));
  cells.forEach(({ figures }, cell) => addFigures(results[slotOf[cell]!]!.figures, figures));
  return { slots: results, segments };
}

export function sumEffects({ slots, slotOf }: Cells, effects: readonly SlotEffect[]): SlotEffect[] {
  return slots.map((_, slot) => {
    const [first, ...others] = effects.filter((_, cell) => slotOf[cell] === slot);
    return others.reduce(addEffect, first!);
  });
}

export function sumDistributions(parts: readonly SlotDistribution[]): SlotDistribution {
  const [first, ...others] = parts;
  if (first === undefined) throw new RangeError('no such slot');
  return others.reduce((sum, { counts }) => ({
    counts: sum.counts.map((own, model) => (own && counts[model] ? own.map((count, bin) => count + counts[model]![bin]!) : (own ?? counts[model]!))),
  }), first);
}

function addEffect(a: SlotEffect, b: SlotEffect): SlotEffect {
  const each = (x: readonly number[], y: readonly number[]) => x.map((value, i) => value + y[i]!);
  return {
    numel: a.numel + b.numel,
    base2: a.base2 + b.base2,
    change2: a.change2 + b.change2,
    tau2: each(a.tau2, b.tau2),
    between: each(a.between, b.between),
    along: each(a.along, b.along),
  };
}
