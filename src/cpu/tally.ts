/** tally: what a group adds to a ranking over several tensors (merging.md sections 2 and 6). Twin of reference/tally.ts. */
import type { Group, ReadSegment } from '../merge/backend';
import type { Tally, TallyCounts, TallyPlace } from '../merge/tally-types';
import { traitsOf } from '../recipe/methods';
import type { TensorParameters } from '../recipe/types';
import { emptyTallies } from '../reference/tally';
import { jobsOf, type Means } from './merging';
import type { PartPasses } from './part-types';
import { addCounts, type KeyRange, type Tally as PartTally } from './select';
import { passOver, trimSlot, type SlotJob } from './slot';
import { NOTHING } from './trim';

export async function tallyGroup(group: Group, parameters: readonly TensorParameters[], tallies: readonly Tally[], read: ReadSegment, means: Means): Promise<TallyCounts[]> {
  const { jobs } = jobsOf(group, parameters, read, means);
  const into = emptyTallies(tallies);
  try {
    for (const [s, job] of jobs.entries()) {
      await tallySlot(job, s, tallies, into);
      job.store.release();
    }
  } finally {
    for (const { store } of jobs) store.release();
  }
  return into;
}

async function tallySlot(job: SlotJob, s: number, tallies: readonly Tally[], into: readonly TallyCounts[]): Promise<void> {
  const wanted = [...tallies.entries()].filter(([, { slots }]) => slots[s] != null);
  if (wanted.length === 0) return;
  const ranksMargins = traitsOf(job.method).elects && wanted.some(([, { model }]) => model === null);
  const trimmed = ranksMargins ? await trimSlot(job) : null;
  const nothing = job.pieces.map(() => NOTHING);
  const passes = wanted.flatMap(([t, tally]): { readonly t: number; readonly pass: (part: PartPasses, p: number) => Promise<PartTally | null> }[] => {
    const range = rangeOf(tally, tally.slots[s]!);
    const { model, prefer } = tally;
    if (model !== null) return job.slot.inputs[model + 1] === null ? [] : [{ t, pass: (part: PartPasses) => part.tally(model, range) }];
    if (trimmed === null || job.slot.inputs[prefer + 1] == null) return [];
    const decisions = trimmed.decide(nothing, prefer);
    return [{ t, pass: (part: PartPasses, p: number) => part.margins(decisions[p]!, range) }];
  });
  await passOver(
    job,
    (part, p) => Promise.all(passes.map(({ pass }) => pass(part, p))),
    (results) => {
      // Parts that are here tell everything.
      for (const [i, { t }] of passes.entries()) add(results[i]!, tallies[t]!.slots[s]!, into[t]!);
    },
  );
}

const rangeOf = ({ digit: { shift, bits } }: Tally, { low }: TallyPlace): KeyRange => ({ low, shift, bins: 2 ** bits });

function add({ counts, above }: PartTally, { row }: TallyPlace, into: TallyCounts): void {
  addCounts(into.counts.subarray(row * counts.length, (row + 1) * counts.length), counts);
  into.above[row]! += above;
}
