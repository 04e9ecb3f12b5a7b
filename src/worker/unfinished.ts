/** What an interrupted export left where the destination is: said in words for the page, and removed. */
import { asStudioError } from '../bytes/errors';
import { JOURNAL_FILE } from '../bytes/source';
import type { Destination } from '../bytes/source';
import { isExportFile } from '../export/files';
import { debrisOf, keepsOld } from '../merge/folder';
import type { Journal } from '../merge/journal-types';
import { readJournal } from '../merge/journal';
import type { RecipeText } from '../recipe/mergekit';
import { decodeRecipe } from '../recipe/serialise';
import type { Unfinished, UnfinishedMerge } from './protocol';

/** Null where no journal lies. Rejects as the destination does. */
export async function unfinishedIn(folder: Destination): Promise<Unfinished | null> {
  const names = await folder.list();
  if (!names.includes(JOURNAL_FILE)) return null;
  let journal: Journal | null = null;
  try {
    journal = await readJournal(folder);
    const merge = journal && (await describe(journal, folder));
    return { folder: folder.name, merge, problem: null, files: await debrisOf(folder, journal, isExportFile) };
  } catch (error) {
    return { folder: folder.name, merge: null, problem: asStudioError(error).toWire(), files: await debrisOf(folder, journal, isExportFile) };
  }
}

/** Removes what `unfinishedIn` lists, the journal last. Resolves to what could not be removed. */
export async function removeUnfinished(folder: Destination): Promise<readonly string[]> {
  const left: string[] = [];
  for (const name of (await unfinishedIn(folder))?.files ?? []) await folder.remove(name).catch(() => left.push(name));
  return left;
}

async function describe(journal: Journal, folder: Destination): Promise<UnfinishedMerge> {
  const { subject, started, shards, done } = journal;
  const isOldWhole = keepsOld(journal, await folder.list());
  const there = [];
  for (const shard of isOldWhole ? [] : done) {
    // A shard counts when its bytes are right, which is found out when it is resumed; here it is to be there.
    const size = await folder.open(shard.file).then((source) => source.size, () => null);
    if (size === shard.bytes) there.push(shard);
  }
  const sum = (all: readonly { readonly bytes: number }[]) => all.reduce((total, { bytes }) => total + bytes, 0);
  return {
    recipe: decodeRecipe(subject.recipe),
    choices: JSON.parse(subject.choices),
    text: textOf(JSON.parse(subject.text)),
    shardBytes: subject.shardBytes,
    sources: subject.sources.map(({ id, name, fingerprint, bytes, contents }) => ({ id, name, fingerprint, bytes, contents })),
    started,
    shards: shards.length,
    done: there.length,
    bytesDone: sum(there),
    bytes: sum(shards),
    madeBy: [...new Set(there.flatMap(({ madeBy }) => madeBy.map(({ label }) => label)))],
    keepsOld: isOldWhole,
  };
}

function textOf(value: unknown): RecipeText | null {
  const { text, paths } = (value ?? {}) as Partial<RecipeText>;
  const isText = typeof text === 'string' && typeof paths === 'object' && Object.values(paths).every((path) => typeof path === 'string');
  return isText ? { text, paths } : null;
}
