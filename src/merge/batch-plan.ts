/** Which of several plans can be carried out together, so that what they have in common is read once. */
import { COPY_BYTES, HASHED_AT_ONCE, WRITE_BYTES } from './io-sizes';
import type { ByteRange, MergePlan, MergeStep, Step } from './plan-types';
import { largestFile, piecesBytes } from './shards';
import { stepBytesRead } from './steps';

/** Plans carried out together: each has two buffers and an open file, and cutting them smaller makes writing slow. */
const MOST_AT_ONCE = 36;
/** What all writers of a wave hold together, bytes. */
const WRITING_BYTES = 256 * 2 ** 20;
/** A smaller piece costs more than it saves (faults.md, writing files). */
const LEAST_PIECE = 2 ** 20;

export interface BatchLimits {
  /** Bytes of inputs of one group that may be kept while every recipe is merged from it. */
  readonly holdBytes: number;
  /** Recipes merged together, default MOST_AT_ONCE. */
  readonly atOnce?: number;
}

/** Recipes merged side by side, group by group. */
export interface Wave {
  /** Indices of the plans. */
  readonly entries: readonly number[];
  readonly bytesRead: number;
}

export interface BatchPlan {
  /** In the order of running. */
  readonly waves: readonly Wave[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Bytes of inputs that each recipe reads for itself although it shares its wave: their groups are larger than what may be kept. */
  readonly bytesTooLarge: number;
  /** Most bytes held at once. */
  readonly peakBytes: number;
}

/**
 * Puts plans together whose steps read the same bytes in the same groups, whatever their parameters, except those that rank over the
 * whole model. Plans must have no refusals.
 */
export function planBatch(plans: readonly MergePlan[], { holdBytes, atOnce = MOST_AT_ONCE }: BatchLimits): BatchPlan {
  const alike = new Map<string, number[]>();
  for (const [index, plan] of plans.entries()) {
    // A ranking over the whole model is of one recipe: such a merge reads for itself.
    const key = plan.ranking ? `ranked ${index}` : shapeOf(plan);
    alike.set(key, [...(alike.get(key) ?? []), index]);
  }
  const waves: Wave[] = [];
  let [bytesTooLarge, peakBytes] = [0, 0];
  for (const entries of alike.values()) {
    for (let first = 0; first < entries.length; first += atOnce) {
      const own = entries.slice(first, first + atOnce);
      const plan = plans[own[0]!]!;
      const again = own.length > 1 ? plan.steps.reduce((sum, step) => sum + (isHeld(step, holdBytes) ? 0 : stepBytesRead(step)), 0) : 0;
      waves.push({ entries: own, bytesRead: plan.bytesRead + (own.length - 1) * again });
      bytesTooLarge = Math.max(bytesTooLarge, again);
      const held = own.length > 1 ? plan.steps.reduce((most, step) => (step.kind === 'merge' && isHeld(step, holdBytes) ? Math.max(most, stepBytesRead(step)) : most), 0) : 0;
      peakBytes = Math.max(peakBytes, plan.peakBytes - piecesBytes(plan) + held + (2 * own.length + Math.min(own.length, HASHED_AT_ONCE)) * Math.min(pieceOf(own.length), largestFile(plan)) + copying(plan, own.length, holdBytes));
    }
  }
  return {
    waves,
    bytesRead: waves.reduce((sum, wave) => sum + wave.bytesRead, 0),
    bytesWritten: plans.reduce((sum, plan) => sum + plan.bytesWritten, 0),
    bytesTooLarge,
    peakBytes,
  };
}

/** Bytes of a piece handed to a sink by each of `recipes` writers. */
export function pieceOf(recipes: number): number {
  return Math.max(LEAST_PIECE, Math.min(WRITE_BYTES, Math.floor(WRITING_BYTES / (2 * recipes))));
}

/**
 * Bytes that copies of a wave hold beside what is merged: two pieces of every recipe, or a piece of every file that is compared, and
 * what is kept of their reads for each other.
 */
function copying({ steps, integersToCompare }: MergePlan, recipes: number, holdBytes: number): number {
  if (recipes === 1) return 0;
  const sizeOf = ({ begin, end }: ByteRange) => end - begin;
  const copied = steps.flatMap((step) => (step.kind === 'copy' ? step.parts : step.tails.flat()).map(({ range }) => sizeOf(range)));
  const compared = integersToCompare.map(({ ranges }) => ranges.map(sizeOf));
  const all = [...copied, ...compared.flat()].reduce((sum, bytes) => sum + bytes, 0);
  const piece = (bytes: number) => Math.min(bytes, copyPieceOf(recipes));
  const own = [...copied.map((bytes) => 2 * piece(bytes)), ...compared.map((files) => files.reduce((sum, bytes) => sum + piece(bytes), 0))];
  return recipes * own.reduce((most, bytes) => Math.max(most, bytes), 0) + Math.min(all, holdBytes);
}

/** Bytes of a piece copied or compared by each of `recipes` runs: all of them together hold what one does. */
export function copyPieceOf(recipes: number): number {
  return Math.max(LEAST_PIECE, 8 * Math.floor(COPY_BYTES / recipes / 8));
}

/** Whether the inputs of a step are kept while every recipe of a wave is merged from them. */
export function isHeld(step: Step, holdBytes: number): boolean {
  return stepBytesRead(step) <= holdBytes;
}

/** The same for plans that read the same bytes for the same outputs. */
function shapeOf({ steps, shards, integersToCompare }: MergePlan): string {
  const common = (step: MergeStep) => ({ slots: step.group.slots, chunks: step.group.chunks, inputs: step.inputs, tails: step.tails });
  const shape = { steps: steps.map((step) => (step.kind === 'merge' ? { shard: step.shard, ...common(step) } : step)), tensors: shards.map(({ tensors }) => tensors), integersToCompare };
  return JSON.stringify(shape);
}
