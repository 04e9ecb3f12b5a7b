/** Tables of scores among dropped files: read, and kept out of what is opened as checkpoints. */
import { asStudioError } from '../bytes/errors';
import type { FileEntry } from '../checkpoint/types';
import type { FileStore, Registered } from '../files/store';
import { MAX_RESULTS_TEXT, readResults, type Results } from '../recipe/results';
import type { OpenResult } from './protocol';

/** What batch export calls its table; under another name only a file dropped without a folder is one. */
const RESULTS_FILE = /(?:^|\/)results\.csv$/i;
const LOOSE_TABLE = /^[^/]+\.(?:csv|tsv)$|^[^/]*(?:result|score)[^/]*\.json$/i;

/** The tables among `given`, what is wrong with some, and the other files. A table's file is let go of once it is read. */
export async function takeResults(given: Registered, store: FileStore): Promise<{ readonly rest: Registered; readonly results: readonly Results[]; readonly problems: OpenResult['problems'] }> {
  const isTable = ({ path }: FileEntry) => RESULTS_FILE.test(path) || LOOSE_TABLE.test(path);
  const tables = given.entries.filter(isTable);
  const results: Results[] = [];
  const problems: OpenResult['problems'][number][] = [];
  for (const entry of tables) {
    try {
      const source = await store.open(entry);
      // Four bytes a character at most; what is longer is refused by its length without being read whole.
      const bytes = await source.read(0, Math.min(source.size, 4 * (MAX_RESULTS_TEXT + 1)));
      results.push(readResults(new TextDecoder().decode(bytes), entry.path));
    } catch (error) {
      problems.push({ file: entry.path, error: asStudioError(error).toWire() });
    }
  }
  store.release(tables);
  return { rest: { ...given, entries: given.entries.filter((entry) => !isTable(entry)) }, results, problems };
}
