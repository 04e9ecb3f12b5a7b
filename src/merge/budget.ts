/** What the groups of a run hold at once: said in the plan, kept by the pipeline. */
import { MOST_WASTE } from '../bytes/buffer-ring';
import type { Backend, Group } from './backend';
import { stretchBytes, stretchesOf } from './chunk-reading';
import { PIECES_HELD, WRITE_BYTES } from './io-sizes';
import type { MergeStep, Step } from './plan-types';
import { chunkInputBytes, chunkOutputBytes } from './steps';
import { windowsOf } from './windows';
import type { Window } from './windows';

export interface Holding {
  /** Bytes that reading ahead may hold. */
  readonly readAheadBytes: number;
  readonly concurrency: number;
  /** See `Backend.heldBytes`. */
  readonly heldBytes: (group: Group) => number;
}

/** What a backend answers, or one chunk of one group where it says nothing. */
export function holdingOf({ concurrency = 1, heldBytes = oneChunk }: Pick<Backend, 'concurrency' | 'heldBytes'>, readAheadBytes: number): Holding {
  return { readAheadBytes, concurrency, heldBytes };
}

/** Bytes of inputs and output of the largest chunk. */
export function oneChunk(group: Group): number {
  return group.chunks.reduce((most, chunk) => Math.max(most, chunkInputBytes(group, chunk) + chunkOutputBytes(group, chunk)), 0);
}

/** What a plan asks of the backend that it is made for. */
export type BackendLimits = Pick<Backend, 'chunkBytes' | 'concurrency' | 'heldBytes'>;

export function limitsOf({ chunkBytes, concurrency = 1, heldBytes = oneChunk }: Backend): BackendLimits {
  return { chunkBytes, concurrency, heldBytes };
}

const GROUPS_HOLD = 3;
/**
 * Groups under way and what is read for the next may hold so many bytes: two of the largest layers of an 8B, with their outputs. Where
 * only one fits, nothing is read or written while it is selected in (an 8B took 178 and 212 s with 2.5, 129 and 159 s with 3).
 */
export function groupsBudget({ readAheadBytes }: Pick<Holding, 'readAheadBytes'>): number {
  return GROUPS_HOLD * readAheadBytes;
}

/** What reading ahead may hold so that groups hold no more than `bytes`. */
export function readAheadWithin(bytes: number): number {
  return Math.floor(bytes / GROUPS_HOLD);
}

/** What a plan says at most where reading ahead may hold so much: its groups, and the writer's pieces. */
export function memoryOf(readAheadBytes: number): number {
  return GROUPS_HOLD * readAheadBytes + PIECES_HELD * WRITE_BYTES;
}

/**
 * Most bytes that a step adds to those of its window while the backend has it: what the backend keeps, and of a group in several
 * stretches the one that is taken and the one that is read. What is read stays until all of it is taken, beside the backend's copy.
 */
export function stepAdds({ group }: MergeStep, { bytes }: Pick<Window, 'bytes'>, { readAheadBytes, heldBytes }: Holding): number {
  const inputs = group.slots[0]!.inputs.length;
  const stretches = stretchesOf(group, stretchBytes(readAheadBytes, inputs)).map(({ bytes: own }) => own.reduce((sum, each) => sum + each, 0));
  if (stretches.length === 1) return heldBytes(group);
  const largest = Math.max(...stretches);
  const all = group.chunks.reduce((sum, chunk) => sum + chunkInputBytes(group, chunk) + chunkOutputBytes(group, chunk), 0);
  return Math.min(all + largest, heldBytes(group) + 2 * largest) - bytes;
}

/** What a backend may have whatever it merges: the staging ring of a device. */
const FIXED_BYTES = 32 * 2 ** 20;
/** What a merge reads and makes is there twice at most, as it was read or is written and as the backend has it, in buffers an eighth larger. */
const COPIES = 2 * (1 + MOST_WASTE);

/**
 * Most bytes that the groups of a plan hold at once: windows that follow each other as far as they may be under way together, but no
 * more than all there is.
 */
export function groupsHold(steps: readonly Step[], holding: Holding): number {
  const budget = groupsBudget(holding);
  const windows = windowsOf(steps, holding.readAheadBytes);
  const adds = windows.map((window) => window.steps.map((step) => stepAdds(step, window, holding)).sort((a, b) => b - a));
  let peak = 0;
  for (const [first, { bytes: own }] of windows.entries()) {
    const alone = own + adds[first]![0]!;
    let [read, most] = [own, own + sum(adds[first]!.slice(0, holding.concurrency))];
    let working = adds[first]!;
    // As many as the backend has groups of, one of which some groups wait, and one that is being read.
    for (let next = first + 1; next <= first + holding.concurrency + 1 && follows(windows[next - 1]!, windows[next]); next++) {
      working = [...working, ...adds[next]!].sort((a, b) => b - a);
      read += windows[next]!.bytes;
      if (read + working[0]! > budget) break;
      most = read + sum(working.slice(0, holding.concurrency));
    }
    peak = Math.max(peak, alone, Math.min(most, budget));
  }
  const all = steps.flatMap((step) => (step.kind === 'copy' ? [] : step.group.chunks.map((chunk) => chunkInputBytes(step.group, chunk) + chunkOutputBytes(step.group, chunk))));
  return Math.min(peak, Math.ceil(COPIES * sum(all)) + FIXED_BYTES);
}

/** Whether nothing, no copy either, is between two windows. */
function follows({ first, steps }: Window, next: Window | undefined): boolean {
  return next?.first === first + steps.length;
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
