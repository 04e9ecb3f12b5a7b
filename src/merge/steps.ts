/** Steps in the order of writing: small tensors together, large ones in chunks, the rest copied. */
import { bytesPerValue } from '../bytes/dtypes';
import type { Method, TensorParameters } from '../recipe/types';
import type { Group, Segment, Slot } from './backend';
import { EDGE_ELEMENTS, bytesPerElement, chunkRanges, elementsPerChunk, segmentInputBytes, segmentsOf, slotBytes } from './chunks';
import type { PlannedTensor } from './decide';
import type { ByteRange, CopyPart, InputRange, MergeStep, OutputShard, Step } from './plan-types';

export interface StepContext {
  readonly method: Method;
  /** Bytes of inputs and output of one chunk. */
  readonly chunkBytes: number;
  readonly planned: ReadonlyMap<string, PlannedTensor>;
  readonly parametersOf: (tensor: string) => TensorParameters;
}

/** A tensor waiting for others to share its group. */
interface Member {
  readonly slot: Slot;
  readonly inputs: readonly (InputRange | null)[];
  readonly tail: readonly CopyPart[];
}

/** The steps that write one output shard. */
export function stepsOf(shard: OutputShard, index: number, context: StepContext): Step[] {
  const steps: Step[] = [];
  let members: Member[] = [];
  let held = 0;
  const finishGroup = () => {
    if (members.length > 0) steps.push(mergeStep(members, index, context));
    members = [];
    held = 0;
  };
  for (const { name } of shard.tensors) {
    const { merged, copies } = context.planned.get(name)!;
    if (!merged) {
      finishGroup();
      steps.push({ kind: 'copy', shard: index, tensor: name, parts: copies });
      continue;
    }
    const bytes = slotBytes(merged.slot);
    if (held + bytes > context.chunkBytes) finishGroup();
    members.push({ ...merged, tail: copies });
    held += bytes;
  }
  finishGroup();
  return steps;
}

function mergeStep(members: readonly Member[], shard: number, { method, chunkBytes, parametersOf }: StepContext): MergeStep {
  const slots = members.map(({ slot }) => slot);
  return {
    kind: 'merge',
    shard,
    group: { method, slots, chunks: chunksOf(slots, chunkBytes) },
    parameters: slots.map(({ name }) => parametersOf(name)),
    inputs: members.map(({ inputs }) => inputs),
    tails: members.map(({ tail }) => tail),
  };
}

/** One chunk of all slots, or, of a slot that is larger than a chunk may be, several. */
function chunksOf(slots: readonly Slot[], chunkBytes: number): Segment[][] {
  const [first] = slots;
  if (slots.length > 1 || slotBytes(first!) <= chunkBytes) {
    return [slots.flatMap((slot, i) => segmentsOf(slot, i, { first: 0, end: slot.elements }))];
  }
  const most = elementsPerChunk(chunkBytes, bytesPerElement(first!));
  // Chunks of one size, so that workers which have as many of them have as much to do.
  const each = Math.min(most, EDGE_ELEMENTS * Math.ceil(first!.elements / Math.ceil(first!.elements / most) / EDGE_ELEMENTS));
  return chunkRanges(first!.elements, each).map((range) => segmentsOf(first!, 0, range));
}

/** Bytes of the inputs of a chunk. */
export function chunkInputBytes(group: Group, chunk: readonly Segment[]): number {
  return chunk.reduce((sum, segment) => sum + segmentInputBytes(group.slots[segment.slot]!, segment), 0);
}

/** Bytes of the merged values of a chunk. */
export function chunkOutputBytes(group: Group, chunk: readonly Segment[]): number {
  return chunk.reduce((sum, { slot, count }) => sum + count * bytesPerValue(group.slots[slot]!.outDtype), 0);
}

/** Every range a step reads. */
export function rangesOf(step: Step): ByteRange[] {
  const ranges = step.kind === 'copy' ? step.parts.map(({ range }) => range) : [...step.inputs.flat(), ...step.tails.flat().map(({ range }) => range)];
  return ranges.flatMap((range) => (range === null ? [] : [range, ...(range.adapted ? [range.adapted.left.range, range.adapted.right.range] : [])]));
}

/** Bytes of every range a step reads, once each. */
export function stepBytesRead(step: Step): number {
  return rangesOf(step).reduce((sum, { begin, end }) => sum + end - begin, 0);
}
