/** What the device counted, as Figures and selections. */
import type { Group, Kept, SlotResult } from '../merge/backend';
import type { Figures } from '../merge/figures';
import { addFigures, emptyFigures } from '../merge/figures';
import type { TensorParameters } from '../recipe/types';
import { COUNT, pairIndex, SELECTION, SLACK_LANE } from './layout';
import { trimmedLanes } from './tables';

/** Figures of one segment from its counts; `cost` is the sum of its blocks' costs. */
export function segmentFigures(counts: Uint32Array, segment: number, models: number, elements: number, cost: number): Figures {
  const at = segment * COUNT.words;
  const figures = emptyFigures(models);
  figures.numel = elements;
  figures.conflict = counts[at + COUNT.conflict]!;
  figures.reserved = counts[at + COUNT.reserved]!;
  figures.overflow = counts[at + COUNT.overflow]!;
  figures.reservedCost = cost;
  for (let input = 0; input <= models; input++) figures.nonfinite[input] = counts[at + COUNT.nonfinite + input]!;
  for (let m = 0; m < models; m++) {
    const mine = at + COUNT.models + COUNT.perModel * m;
    figures.kept[m] = counts[mine]!;
    figures.nonzero[m] = counts[mine + 1]!;
    figures.won[m] = counts[mine + 2]!;
    figures.discarded[m] = counts[mine + 3]!;
  }
  // The shader counts pairs only where there are several (shaders/lib/pairs_none.wgsl).
  if (models === 2) figures.between[0] = figures.conflict;
  let pair = 0;
  for (let i = 0; models > 2 && i < models; i++) {
    for (let j = i + 1; j < models; j++) figures.between[pair++] = counts[at + COUNT.between + pairIndex(i, j)]!;
  }
  return figures;
}

/** Sums the segments' figures slot by slot and adds the selections. `state` is the state buffer's content. */
export function slotResults(
  group: Group,
  parameters: readonly TensorParameters[],
  segments: readonly (readonly Figures[])[],
  state: Uint32Array,
): SlotResult[] {
  const models = group.slots[0]!.inputs.length - 1;
  const sums = group.slots.map(() => emptyFigures(models));
  group.chunks.forEach((chunk, c) => chunk.forEach((segment, s) => addFigures(sums[segment.slot]!, segments[c]![s]!)));
  return group.slots.map((slot, s) => {
    const trimmed = trimmedLanes(group, s, parameters[s]!);
    const selection = (lane: number): Kept => {
      const at = ((lane * group.slots.length + s) * SELECTION.size) / 4;
      return { threshold: state[at + SELECTION.threshold / 4]!, cutoff: state[at + SELECTION.cutoff / 4]! };
    };
    const kept = slot.inputs.slice(1).map((dtype, lane) => {
      if (dtype === null) return null;
      return (trimmed >> lane) & 1 ? selection(lane) : { threshold: 0, cutoff: slot.elements };
    });
    return { figures: sums[s]!, kept, reserved: (trimmed >> SLACK_LANE) & 1 ? reservation(selection(SLACK_LANE)) : null };
  });
}

/** The slack's selection ran on complemented keys, so that its largest were the smallest margins. */
function reservation({ threshold, cutoff }: Kept): Kept {
  return { threshold: 0x7fffffff - threshold, cutoff };
}
