/** Figures of what was decided on the host (merging.md section 5). Twin of src/reference/counts.ts. */
import { addFigures, emptyFigures, type Figures } from '../figures';
import type { Group, GroupResult, SlotResult } from '../backend';
import type { Block, Part } from './vectors';

/** Per position: bit m for each model whose value takes part and has the sign, is not 0 (NaN included), or takes part at all. */
export interface Signs {
  readonly positive: Uint8Array;
  readonly negative: Uint8Array;
  readonly nonzero: Uint8Array;
  readonly taking: Uint8Array;
}

/** `selected`: the positions that take part, of all models alike; null for all of them. At most 8 models. */
export function signsOf({ taus, count }: Block, selected: Uint8Array | null): Signs {
  const [positive, negative, nonzero, taking] = [new Uint8Array(count), new Uint8Array(count), new Uint8Array(count), new Uint8Array(count)];
  for (const [model, tau] of taus.entries()) {
    if (tau === null) continue;
    const bit = 1 << model;
    for (let j = 0; j < count; j++) {
      if (selected !== null && selected[j] === 0) continue;
      const value = tau[j]!;
      taking[j]! |= bit;
      if (value !== 0) nonzero[j]! |= bit;
      if (value > 0) positive[j]! |= bit;
      else if (value < 0) negative[j]! |= bit;
    }
  }
  return { positive, negative, nonzero, taking };
}

/** Adds a block to the figures of its part; not its `nonfinite`. `gamma`: the signs that are elected; null without election. */
export function countBlock(figures: Figures, { taus, count }: Block, { positive, negative, nonzero, taking }: Signs, gamma: Int8Array | null): void {
  figures.numel += count;
  /** Per set of models: positions. */
  const [keeping, nonzeros, winning, losing] = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)];
  const opposed = new Map<number, number>();
  for (let j = 0; j < count; j++) {
    const [above, below] = [positive[j]!, negative[j]!];
    const isConflict = above !== 0 && below !== 0;
    keeping[taking[j]!]!++;
    nonzeros[nonzero[j]!]!++;
    if (isConflict) opposed.set((above << 8) | below, (opposed.get((above << 8) | below) ?? 0) + 1);
    if (gamma === null) continue;
    const agreeing = gamma[j]! > 0 ? above : below;
    if (isConflict) winning[agreeing]!++;
    losing[nonzero[j]! & ~agreeing]!++;
  }
  const models = taus.length;
  addSets(figures.kept, keeping);
  addSets(figures.nonzero, nonzeros);
  addSets(figures.won, winning);
  addSets(figures.discarded, losing);
  for (const [signs, positions] of opposed) {
    figures.conflict += positions;
    for (let i = 0, pair = 0; i < models; i++) {
      for (let j = i + 1; j < models; j++, pair++) {
        const [above, below] = [signs >> 8, signs & 255];
        if ((((above >> i) & (below >> j)) | ((below >> i) & (above >> j))) & 1) figures.between[pair]! += positions;
      }
    }
  }
}

/** Adds to each model's count the positions of every set that it is in. */
function addSets(into: number[], sets: Uint32Array): void {
  for (let model = 0; model < into.length; model++) for (let set = 0; set < sets.length; set++) if ((set >> model) & 1) into[model]! += sets[set]!;
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
