/** Taking an unfinished merge up again: is the journal of this merge, and which of its shards are as they were written? */
import { DestinationError, asStudioError } from '../bytes/errors';
import type { WithHashing } from '../bytes/hashing';
import type { OutputFolder } from './folder';
import { HASHED_AT_ONCE } from './io-sizes';
import type { FinishedShard, Journal, JournalSubject } from './journal-types';
import type { JournalHooks } from './journaling';
import type { ByteRange, MergePlan, OutputShard } from './plan-types';
import type { Totals } from './progress';
import { layoutOf, shardFileBytes } from './shards';
import { sideBySide } from './side-by-side';
import { rangesOf, stepBytesRead } from './steps';
import { verifyFile } from './verifying';
import type { ReadPiece } from './verifying';

/** A shard that need not be made again. */
export interface KeptShard extends FinishedShard {
  /** Hex SHA-256 of the file as read again. */
  readonly sha256: string;
}

/** What tells the merge of a journal from the one at hand, each a word for the page; empty when they are the same. */
export type Difference = 'application' | 'recipe' | 'choices' | 'shard-size' | 'sources' | 'layout';

function differencesFrom(journal: Journal, subject: JournalSubject, plan: MergePlan): Difference[] {
  const was = journal.subject;
  const sourcesOf = ({ sources }: JournalSubject) => JSON.stringify(sources.map(({ fingerprint, contents, beside }) => [fingerprint, contents, beside]));
  const found: Difference[] = [];
  if (was.application !== subject.application) found.push('application');
  if (sourcesOf(was) !== sourcesOf(subject)) found.push('sources');
  // Ids of other sources make the texts of one recipe differ.
  else if (was.recipe !== subject.recipe) found.push('recipe');
  else if (was.choices !== subject.choices) found.push('choices');
  if (was.shardBytes !== subject.shardBytes) found.push('shard-size');
  if (found.length === 0 && journal.layout !== layoutOf(plan)) found.push('layout');
  return found;
}

/** Throws DestinationError `journal-of-another`, naming what differs, unless the journal in `folder` is of this merge. */
export function refuseAnother(folder: string, journal: Journal, subject: JournalSubject, plan: MergePlan): void {
  const names = differencesFrom(journal, subject, plan);
  if (names.length > 0) throw new DestinationError('journal-of-another', `${folder}: what lies there is of another merge (${names.join(', ')})`, { file: folder, names });
}

/**
 * The finished shards of `journal`, a journal of this merge, that need not be made again, by file in the order of writing: made of
 * nothing that was written since, and read again with the digests they should have. The others are removed from `folder`. Rejects as
 * `read` and the destination do.
 */
export async function keepShards(journal: Journal, plan: MergePlan, folder: OutputFolder, { isWritten = () => false, agree }: JournalHooks, read: ReadPiece, hashed: WithHashing): Promise<ReadonlyMap<string, KeptShard>> {
  // Whatever of these names is there is of the older export. The others of a wave wait for every answer.
  if (folder.replaces.length > 0) {
    await agree?.([]);
    return new Map();
  }
  const candidates = stillTrue(journal, plan, isWritten).filter(({ file }) => folder.has(file));
  const found = await sideBySide(candidates, HASHED_AT_ONCE, (done) => readAgain(folder, done, plan.shards.find(({ file }) => file === done.file)!, read, hashed));
  const sound = found.filter((shard) => shard !== null);
  const agreed = (await agree?.(sound.map(({ file }) => file))) ?? sound.map(({ file }) => file);
  const kept = new Map(plan.shards.flatMap(({ file }) => sound.filter((shard) => shard.file === file && agreed.includes(file)).map((shard) => [file, shard])));
  await folder.clear(journal.done.map(({ file }) => file).filter((file) => folder.has(file) && !kept.has(file)));
  folder.adopt([...kept.keys()]);
  return kept;
}

/** What need not be done again where shards are kept. */
export function workDone({ shards, steps }: MergePlan, kept: { has(file: string): boolean }): Totals {
  const there = shards.filter(({ file }) => kept.has(file));
  return {
    tensors: there.reduce((sum, { tensors }) => sum + tensors.length, 0),
    bytesRead: steps.reduce((sum, step) => sum + (kept.has(shards[step.shard]!.file) ? stepBytesRead(step) : 0), 0),
    bytesWritten: there.reduce((sum, shard) => sum + shardFileBytes(shard), 0),
  };
}

/** Those that may still be true: made of nothing that was written since, and with figures for just what the plan merges into them. */
function stillTrue({ done }: Journal, plan: MergePlan, isWritten: (range: ByteRange) => boolean): FinishedShard[] {
  // What is kept in any shard was decided by all that was ranked.
  if (plan.ranking?.steps.some((step) => rangesOf(step).some(isWritten))) return [];
  return done.filter(({ file, bytes, figures }) => {
    const index = plan.shards.findIndex((shard) => shard.file === file);
    const steps = plan.steps.filter(({ shard }) => shard === index);
    if (index < 0 || bytes !== shardFileBytes(plan.shards[index]!) || steps.some((step) => rangesOf(step).some(isWritten))) return false;
    const merged = steps.flatMap((step) => (step.kind === 'merge' ? step.group.slots.map(({ name, inputs }) => [name, inputs.length - 1] as const) : []));
    return merged.length === figures.length && merged.every(([name, models], i) => figures[i]![0] === name && figures[i]![1].kept.length === models);
  });
}

/** Null when the file is not what was written; rejects when it cannot be read for another reason. */
async function readAgain(folder: OutputFolder, done: FinishedShard, shard: OutputShard, read: ReadPiece, hashed: WithHashing): Promise<KeptShard | null> {
  try {
    const sha256 = await hashed(async (hashing) => verifyFile(await folder.open(done.file), { ...done, name: done.file, shard }, read, hashing.file()));
    return { ...done, sha256 };
  } catch (error) {
    const { reason } = asStudioError(error);
    if (reason === 'verification-failed' || reason === 'removed') return null;
    throw error;
  }
}
