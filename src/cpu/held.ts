/**
 * A held group on the CPU: what every view of a sample asks, a slot at a time and independently of the others. The sorting is
 * done when it is held; a density is then a comparison of ranks, and only slots whose parameters changed are counted again.
 */
import { OutOfMemoryError } from '../bytes/errors';
import type { Group, GroupResult, Held, ReadSegment, SlotResult } from '../merge/backend';
import type { Figures } from '../merge/figures';
import { checkSurface } from '../merge/sweeps';
import type { Tally, TallyCounts } from '../merge/tally-types';
import type { TensorParameters } from '../recipe/types';
import { runsOf } from '../reference/decode';
import { Pace } from '../reference/pace';
import { emptyTallies } from '../reference/tally';
import { Decisions, pairOf } from './held-decisions';
import { distributionOf, effectOf } from './held-effect';
import { cutsOf, createScratch, Store, type HeldSlot, type Scratch } from './held-slot';
import { curveOf, reservedMask } from './held-slack';
import { countKeys, keysOf, marginKeys } from './held-tally';
import { kindsOfClasses, kindsOfMany, regimesOfClasses, surfaceOf } from './held-surface';

/** Most bytes that one held group may occupy. */
const HOLD_BYTES = 2 ** 30;
/** theta_init, the classes of two models, places and keys of the margins, what was read while it is decoded. */
const BYTES_PER_ELEMENT = 4 + 1 + 8 + 4;
/** The task vector and its ranks. */
const BYTES_PER_VALUE = 8;

/** The parts of a held group that are freed together. */
interface Kept {
  readonly slots: readonly HeldSlot[];
  readonly decisions: readonly Decisions[];
  readonly scratch: Scratch;
}

/**
 * Reads a group of one chunk and keeps it. Rejects with OutOfMemoryError where it would take more than 1 GiB, with RangeError
 * where the group has several chunks or a read does not give the bytes of its segment, and as `read` does.
 */
export async function createHeld(group: Group, read: ReadSegment): Promise<Held> {
  if (group.chunks.length !== 1) throw new RangeError(`a held group has one chunk, not ${group.chunks.length}`);
  const needed = heldBytes(group);
  if (needed > HOLD_BYTES) {
    throw new OutOfMemoryError('hold', `holding the group takes ${needed} bytes, at most ${HOLD_BYTES}`, { expected: HOLD_BYTES, actual: needed });
  }
  const runs = runsOf(group);
  const lengths = runs.map((own) => own.at(-1)?.end ?? 0);
  const store = new Store(group, lengths.reduce((sum, length) => sum + length, 0));
  const scratch = createScratch(Math.max(0, ...lengths));
  const pace = new Pace(undefined);
  const slots: HeldSlot[] = [];
  for (const [s, slot] of group.slots.entries()) slots.push(await store.hold(group.method, slot, runs[s]!, read, scratch, pace));
  return new CpuHeld(group, { slots, decisions: slots.map((slot) => new Decisions(group.method, slot, scratch)), scratch });
}

function heldBytes({ chunks, slots }: Group): number {
  const models = Math.max(0, ...slots.map(({ inputs }) => inputs.length - 1));
  return chunks.flat().reduce((sum, { count }) => sum + count * (BYTES_PER_ELEMENT + models * BYTES_PER_VALUE), 0);
}

class CpuHeld implements Held {
  constructor(
    readonly group: Group,
    private kept: Kept | null,
  ) {}

  async evaluate(parameters: readonly TensorParameters[], signal?: AbortSignal): Promise<GroupResult> {
    const segments: Figures[] = [];
    const slots = await this.perSlot<SlotResult>(parameters, signal, ({ slot, decisions, own }) => {
      const { runs, ...result } = decisions.decide(own);
      for (const [r, run] of slot.runs.entries()) segments[run.place] = runs[r]!;
      return result;
    });
    return { slots, segments: [segments] };
  }

  async surface(parameters: readonly TensorParameters[], request: Parameters<Held['surface']>[1], signal?: AbortSignal) {
    checkSurface(this.group, parameters, request);
    const { x, y } = request;
    const ofClasses = regimesOfClasses(x === 1);
    return this.perSlot(parameters, signal, ({ slot, decisions, own, scratch }) => {
      const kinds = scratch.words[0].subarray(0, slot.length);
      const cuts = cutsOf(slot, true, own);
      const pair = pairOf(cuts);
      if (pair) return surfaceOf(slot, request, kindsOfClasses(decisions.classes(pair), ofClasses, kinds));
      // Which of the values of x and y are kept is the regime's to say.
      const all = cuts.map((cut, model) => cut && (model === x || model === y ? { ...cut, kept: slot.models[model]!.count } : cut));
      return surfaceOf(slot, request, kindsOfMany(all, x, y, slot.length, kinds));
    });
  }

  async slackCurve(parameters: readonly TensorParameters[], request: Parameters<Held['slackCurve']>[1], signal?: AbortSignal) {
    return this.perSlot(parameters, signal, ({ slot, decisions, own, scratch }) => {
      const { cuts, figures } = decisions.trim(own);
      if (cuts[request.prefer] == null) return null;
      const discarded = figures.reduce((sum, run) => sum + run.discarded[request.prefer]!, 0);
      return curveOf(cuts, request, discarded, decisions.marginsFor(own, request.prefer), slot.length, scratch);
    });
  }

  async effect(parameters: readonly TensorParameters[], signal?: AbortSignal) {
    return this.perSlot(parameters, signal, ({ slot, decisions, own }) => {
      const { cuts } = decisions.trim(own);
      const slack = decisions.slackOf(own, cuts);
      const mask = slack && reservedMask(slot.length, cuts, slack, decisions.marginsFor(own, slack.prefer));
      return effectOf(this.group.method, slot, cuts, mask, own);
    });
  }

  async distribution(slot: number, signal?: AbortSignal) {
    await new Pace(signal).pause();
    const held = this.held().slots[slot];
    if (held === undefined) throw new RangeError(`slot ${slot} of ${this.group.slots.length}`);
    return distributionOf(held);
  }

  async tally(parameters: readonly TensorParameters[], tallies: readonly Tally[], signal?: AbortSignal): Promise<TallyCounts[]> {
    const into = emptyTallies(tallies);
    let s = 0;
    await this.perSlot(parameters, signal, ({ slot, decisions, own, scratch }) => {
      for (const [t, tally] of tallies.entries()) {
        const place = tally.slots[s];
        if (place == null) continue;
        const keys = tally.model === null ? marginKeys(decisions, own, tally.prefer, scratch) : keysOf(slot.models[tally.model] ?? null, scratch);
        if (keys) countKeys(keys, tally, place, into[t]!);
      }
      s++;
    });
    return into;
  }

  release(): void {
    this.kept = null;
  }

  private held(): Kept {
    if (this.kept === null) throw new Error('the held group was released');
    return this.kept;
  }

  /** Answers slot by slot, other events in between. Each answer is made at once, so that calls may overlap. */
  private async perSlot<T>(
    parameters: readonly TensorParameters[],
    signal: AbortSignal | undefined,
    answer: (of: { slot: HeldSlot; decisions: Decisions; own: TensorParameters; scratch: Scratch }) => T,
  ): Promise<T[]> {
    const { slots } = this.group;
    if (parameters.length !== slots.length) throw new RangeError(`${parameters.length} sets of parameters for ${slots.length} slots`);
    const pace = new Pace(signal);
    const answers: T[] = [];
    for (const [s, own] of parameters.entries()) {
      await pace.pause();
      const { slots: held, decisions, scratch } = this.held();
      answers.push(answer({ slot: held[s]!, decisions: decisions[s]!, own, scratch }));
    }
    return answers;
  }
}
