/** The CPU reference: the definitions of merging.md behind the Backend contract, obvious and slow; the oracle. */
import { OutOfMemoryError } from '../bytes/errors';
import { withHost } from '../merge/on-host';
import type {
  Backend, Group, GroupResult, Held, MergeOptions, ReadSegment, Segment, SlotResult, WriteSegment,
} from '../merge/backend';
import { addFigures, emptyFigures, type Figures } from '../merge/figures';
import type { SlotEffect, SlotSlackCurve } from '../merge/exploring';
import type { Tally, TallyCounts } from '../merge/tally-types';
import type { TensorParameters } from '../recipe/types';
import { surfaceByEvaluating, evaluateShares } from '../merge/sweeps';
import { adapt } from './adapt';
import { decodeSlot, runsOf, type Run, type SlotValues } from './decode';
import { encode } from './encode';
import { distributionOf, effectOf, slackCurveOf } from './explore';
import { Pace } from './pace';
import { emptyTallies, tallySlot } from './tally';
import { decideSlot, mergeSlot, prepareSlot, type PreparedSlot, type SlotDecision } from './slot';

/** Bytes of inputs and output of a chunk. Chunks only bound what is read at a time: a slot is assembled whole. */
const CHUNK_BYTES = 64 * 2 ** 20;
/** Most bytes that one held group may occupy: a sample is far smaller, and the arrays of an evaluation come on top. */
const HOLD_BYTES = 2 ** 30;
/** A held element of a model: its f32 value and task vector, its key, the key again in sorted order, its sign. */
const HELD_BYTES_PER_VALUE = 17;

/** The CPU reference. Needs nothing of its environment, so it runs the same in a page, in a worker and under Node. */
export function createReferenceBackend(): Backend {
  return withHost({
    info: { kind: 'cpu', label: 'CPU reference', software: false, arithmetic: 'native' },
    chunkBytes: CHUNK_BYTES,
    merge: mergeGroup,
    tally: tallyGroup,
    hold: holdGroup,
    adapt: async (request) => adapt(request),
    dispose: () => {},
  });
}

async function mergeGroup(
  group: Group,
  parameters: readonly TensorParameters[],
  read: ReadSegment,
  write: WriteSegment,
  options: MergeOptions = {},
): Promise<GroupResult> {
  checkParameters(group, parameters);
  const pace = new Pace(options.signal);
  const results = new Results(group);
  const runs = runsOf(group);
  const merged = new Map<Segment, Float32Array>();
  for (const [s, slot] of group.slots.entries()) {
    await pace.pause();
    const values = await decodeSlot(slot, runs[s]!, read, pace);
    const decision = await decideSlot(group.method, await prepareSlot(values, pace), parameters[s]!, pace);
    const theta = mergeSlot(group.method, values, decision, parameters[s]!);
    for (const run of runs[s]!) merged.set(run.segment, theta.subarray(run.begin, run.end));
    results.add(runs[s]!, decision);
  }
  for (const [chunk, segments] of group.chunks.entries()) {
    for (const [place, segment] of segments.entries()) {
      await pace.pause();
      const { bytes, overflow } = encode(merged.get(segment)!, group.slots[segment.slot]!.outDtype);
      results.addOverflow(segment.slot, chunk, place, overflow);
      await write(segment, bytes);
    }
    options.onChunk?.(chunk + 1, group.chunks.length);
  }
  return results.finished();
}

async function tallyGroup(
  group: Group,
  parameters: readonly TensorParameters[],
  tallies: readonly Tally[],
  read: ReadSegment,
  options: MergeOptions = {},
): Promise<TallyCounts[]> {
  checkParameters(group, parameters);
  const pace = new Pace(options.signal);
  const counts = emptyTallies(tallies);
  const runs = runsOf(group);
  for (const [s, slot] of group.slots.entries()) {
    await pace.pause();
    const prepared = await prepareSlot(await decodeSlot(slot, runs[s]!, read, pace), pace);
    await tallySlot(group.method, s, prepared, parameters[s]!, tallies, pace, counts);
  }
  return counts;
}

async function holdGroup(group: Group, read: ReadSegment): Promise<Held> {
  if (group.chunks.length !== 1) throw new RangeError(`a held group has one chunk, not ${group.chunks.length}`);
  const needed = heldBytes(group);
  if (needed > HOLD_BYTES) {
    throw new OutOfMemoryError('hold', `holding the group takes ${needed} bytes, at most ${HOLD_BYTES}`, {
      expected: HOLD_BYTES,
      actual: needed,
    });
  }
  const pace = new Pace(undefined);
  const runs = runsOf(group);
  let slots: HeldSlot[] | null = [];
  for (const [s, slot] of group.slots.entries()) {
    const values = await decodeSlot(slot, runs[s]!, read, pace);
    const prepared = await prepareSlot(values, pace);
    // Sorted now, so that the first change of a density is as quick as the next.
    for (const vector of prepared.vectors) vector?.ascending();
    slots.push({ values, prepared });
  }
  const held = (s: number): HeldSlot => {
    const slot = slots?.[s];
    if (slot === undefined) throw new Error('the held group was released');
    return slot;
  };
  const decide = async (s: number, parameters: readonly TensorParameters[], evaluation: Pace): Promise<SlotDecision> => {
    checkParameters(group, parameters);
    await evaluation.pause();
    return decideSlot(group.method, held(s).prepared, parameters[s]!, evaluation);
  };
  const evaluate = async (parameters: readonly TensorParameters[], signal?: AbortSignal): Promise<GroupResult> => {
    const results = new Results(group);
    const evaluation = new Pace(signal);
    for (let s = 0; s < group.slots.length; s++) results.add(runs[s]!, await decide(s, parameters, evaluation));
    return results.finished();
  };
  return {
    group,
    evaluate,
    surface: (parameters, request, signal) => surfaceByEvaluating(group, evaluate, parameters, request, signal),
    async slackCurve(parameters, request, signal) {
      // TIES is TIES-SV without slack: the sweep needs the one that has it.
      const sweep = await evaluateShares(evaluate, parameters, request, signal);
      const curves: (SlotSlackCurve | null)[] = [];
      for (let s = 0; s < group.slots.length; s++) curves.push(slackCurveOf(s, request, await decide(s, parameters, new Pace(signal)), sweep));
      return curves;
    },
    async effect(parameters, signal) {
      const effects: SlotEffect[] = [];
      for (let s = 0; s < group.slots.length; s++) {
        const { values, prepared } = held(s);
        effects.push(effectOf(group.method, values, prepared, await decide(s, parameters, new Pace(signal)), parameters[s]!));
      }
      return effects;
    },
    distribution: async (slot) => distributionOf(held(slot).prepared),
    async tally(parameters, tallies, signal) {
      const pace = new Pace(signal);
      const counts = emptyTallies(tallies);
      for (let s = 0; s < group.slots.length; s++) await tallySlot(group.method, s, held(s).prepared, parameters[s]!, tallies, pace, counts);
      return counts;
    },
    release() {
      slots = null;
    },
  };
}

/** What is kept of a slot: its values for the effect of a merge, the rest for every change of parameters. */
interface HeldSlot {
  readonly values: SlotValues;
  readonly prepared: PreparedSlot;
}

function heldBytes(group: Group): number {
  return group.chunks.flat().reduce((sum, segment) => {
    const models = segment.present.filter((has, input) => has && input > 0).length;
    return sum + segment.count * models * HELD_BYTES_PER_VALUE;
  }, 0);
}

function checkParameters(group: Group, parameters: readonly TensorParameters[]): void {
  if (parameters.length !== group.slots.length) {
    throw new RangeError(`${parameters.length} sets of parameters for ${group.slots.length} slots`);
  }
}

/** Figures of a group as they come in, slot by slot. */
class Results {
  private readonly slots: SlotResult[] = [];
  private readonly segments: Figures[][];

  constructor(private readonly group: Group) {
    this.segments = group.chunks.map((segments) =>
      segments.map(({ slot }) => emptyFigures(group.slots[slot]!.inputs.length - 1)),
    );
  }

  /** Of the next slot. */
  add(runs: readonly Run[], { kept, reserved, figures }: SlotDecision): void {
    const total = emptyFigures(this.group.slots[this.slots.length]!.inputs.length - 1);
    for (const [r, run] of runs.entries()) {
      addFigures(total, figures[r]!);
      this.segments[run.chunk]![run.place] = figures[r]!;
    }
    this.slots.push({ figures: total, kept, reserved });
  }

  addOverflow(slot: number, chunk: number, place: number, overflow: number): void {
    this.slots[slot]!.figures.overflow += overflow;
    this.segments[chunk]![place]!.overflow += overflow;
  }

  finished(): GroupResult {
    return { slots: this.slots, segments: this.segments };
  }
}
