/** Figures of what was decided on the host (merging.md section 5). Twin of src/reference/counts.ts. */
import { addFigures, emptyFigures, type Figures } from '../figures';
import type { Group, GroupResult, SlotResult } from '../backend';
import type { Block, Part } from './vectors';

/** What was decided about a block: which positions take part, and the sign that is elected; null for all of them, and for no election. */
export interface BlockDecision {
  readonly selected: Uint8Array | null;
  readonly gamma: Int8Array | null;
}

/** Adds a block to the figures of its part; not its `nonfinite`. */
export function countBlock(figures: Figures, { taus, count }: Block, { selected, gamma }: BlockDecision): void {
  const models = [...taus.keys()].filter((model) => taus[model] !== null);
  figures.numel += count;
  for (let j = 0; j < count; j++) {
    if (selected !== null && selected[j] === 0) continue;
    let [positive, negative] = [0, 0];
    for (const model of models) {
      const tau = taus[model]![j]!;
      figures.kept[model]!++;
      if (tau !== 0) figures.nonzero[model]!++;
      if (tau > 0) positive |= 1 << model;
      else if (tau < 0) negative |= 1 << model;
    }
    const isConflict = positive !== 0 && negative !== 0;
    if (isConflict) countPairs(figures, positive, negative, taus.length);
    if (gamma === null) continue;
    const agreeing = gamma[j]! > 0 ? positive : negative;
    for (const model of models) {
      const agrees = (agreeing >> model) & 1;
      if (agrees === 1 && isConflict) figures.won[model]!++;
      if (agrees === 0 && taus[model]![j] !== 0) figures.discarded[model]!++;
    }
  }
}

function countPairs(figures: Figures, positive: number, negative: number, models: number): void {
  figures.conflict++;
  for (let i = 0, pair = 0; i < models; i++) {
    for (let j = i + 1; j < models; j++, pair++) {
      const isOpposed = ((positive >> i) & (negative >> j) & 1) | ((negative >> i) & (positive >> j) & 1);
      figures.between[pair]! += isOpposed;
    }
  }
}

/** A group's results from the figures of every part, slot by slot. Nothing is said of thresholds: everything counts as kept. */
export function resultOf(group: Group, parts: readonly (readonly Part[])[], figures: readonly (readonly Figures[])[]): GroupResult {
  const segments: Figures[][] = group.chunks.map(() => []);
  const slots = group.slots.map(({ inputs, elements }, s): SlotResult => {
    const sum = emptyFigures(inputs.length - 1);
    for (const [p, { chunk, index }] of parts[s]!.entries()) {
      segments[chunk]![index] = figures[s]![p]!;
      addFigures(sum, figures[s]![p]!);
    }
    return { figures: sum, kept: inputs.slice(1).map((dtype) => (dtype === null ? null : { threshold: 0, cutoff: elements })), reserved: null };
  });
  return { slots, segments };
}
