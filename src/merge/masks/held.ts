/** A held group of a method that chooses on the host: its bytes are kept there, and every change of parameters merges them again. */
import { traitsOf } from '../../recipe/methods';
import type { TensorParameters } from '../../recipe/types';
import { decodeToF32 } from '../../bytes/floats';
import type { Backend, Group, GroupResult, Held, ReadSegment } from '../backend';
import type { Choose, Chosen } from './choose';
import { distributionOf, effectOf } from './effect';
import { maskedGroup, maskedParameters, maskedRead, unmasked } from './masked';
import { partsOf, Reading, SlotVectors, type Part } from './vectors';

/** Choices of a slot that are kept: a recipe's, and those of the evaluations that tell how much it moves with each density. */
const KNOWN = 4;

/** Reads a group of one chunk and keeps it. */
export async function holdMasked(backend: Backend, choose: Choose, group: Group, read: ReadSegment): Promise<Held> {
  if (group.chunks.length !== 1) throw new RangeError(`a held group has one chunk, not ${group.chunks.length}`);
  const parts = partsOf(group);
  const reading = new Reading(group, read);
  for (const segment of group.chunks.flat()) {
    await Promise.all(group.slots[segment.slot]!.inputs.flatMap((dtype, input) => (dtype !== null && segment.present[input] ? [reading.held(segment, input)] : [])));
  }
  return new MaskedHeld(backend, choose, group, parts, reading);
}

class MaskedHeld implements Held {
  /** Per slot: what was chosen last, by the parameters that it was chosen from. */
  private readonly known = new Map<number, Map<string, Promise<Chosen>>>();
  private reading: Reading | null;

  constructor(
    private readonly backend: Backend,
    private readonly choose: Choose,
    readonly group: Group,
    private readonly parts: readonly (readonly Part[])[],
    reading: Reading,
  ) {
    this.reading = reading;
  }

  async evaluate(parameters: readonly TensorParameters[], signal?: AbortSignal): Promise<GroupResult> {
    const { result } = await this.merge(parameters, signal, () => undefined);
    for (const figures of [...result.slots.map((slot) => slot.figures), ...result.segments.flat()]) figures.overflow = 0;
    return result;
  }

  async effect(parameters: readonly TensorParameters[], signal?: AbortSignal) {
    const merged = new Map<string, Float32Array>();
    await this.merge(parameters, signal, (key, bytes) => void merged.set(key, decodeToF32(bytes, 'F32')));
    return Promise.all(this.group.slots.map((_, s) => effectOf(this.vectors(s, signal), ({ part, begin, count }) => {
      const from = begin - part.begin;
      return merged.get(`${s}:${part.segment.first}`)!.subarray(from, from + count);
    })));
  }

  async distribution(slot: number, signal?: AbortSignal) {
    if (this.group.slots[slot] === undefined) throw new RangeError(`slot ${slot} of ${this.group.slots.length}`);
    return distributionOf(this.vectors(slot, signal));
  }

  readonly tally = () => this.refuse();
  readonly surface = () => this.refuse();
  readonly slackCurve = () => this.refuse();

  release(): void {
    this.reading = null;
  }

  private refuse(): Promise<never> {
    return Promise.reject(new RangeError(`${this.group.method} (${traitsOf(this.group.method).keeps}) does not trim by rank: there is no such view of it`));
  }

  /** Merges what is held, in f32. */
  private async merge(parameters: readonly TensorParameters[], signal: AbortSignal | undefined, take: (key: string, bytes: Uint8Array<ArrayBuffer>) => void) {
    const { group, parts } = this;
    if (parameters.length !== group.slots.length) throw new RangeError(`${parameters.length} sets of parameters for ${group.slots.length} slots`);
    const chosen: Chosen[] = [];
    for (const [s, own] of parameters.entries()) chosen.push(await this.chosenOf(s, own, signal));
    const masked = maskedGroup(group);
    const wide: Group = { ...masked, slots: masked.slots.map((slot) => ({ ...slot, outDtype: 'F32' })) };
    const own = parameters.map((one, s) => maskedParameters(one, chosen[s]!));
    const write = async ({ slot, first }: { slot: number; first: number }, bytes: Uint8Array<ArrayBuffer>) => take(`${slot}:${first}`, bytes);
    const merged = await this.backend.merge(wide, own, maskedRead(group, parts, chosen, this.held(), true), write, signal ? { signal } : {});
    return { result: unmasked(group, parts, chosen, own, merged) };
  }

  private async chosenOf(slot: number, parameters: TensorParameters, signal: AbortSignal | undefined): Promise<Chosen> {
    // Weights, lambda and normalisation choose nothing.
    const from = JSON.stringify({ ...parameters, weight: null, lambda: null, normalize: null });
    const known = this.known.get(slot) ?? new Map<string, Promise<Chosen>>();
    this.known.set(slot, known);
    const chosen = known.get(from) ?? this.choose(this.vectors(slot, signal), parameters);
    known.delete(from);
    known.set(from, chosen);
    for (const oldest of known.keys()) if (known.size > KNOWN) known.delete(oldest);
    // What was cancelled is asked again by the next one.
    chosen.catch(() => known.delete(from));
    return chosen;
  }

  private vectors(slot: number, signal: AbortSignal | undefined): SlotVectors {
    return new SlotVectors(this.group.slots[slot]!, this.parts[slot]!, this.held().look, signal);
  }

  private held(): Reading {
    if (this.reading === null) throw new Error('the held group was released');
    return this.reading;
  }
}
