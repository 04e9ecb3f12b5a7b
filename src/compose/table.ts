/** The table of scores beside the folders of several exports: its name, and its text where one lies there already. */
import { DestinationError } from '../bytes/errors';
import { batchTable, withScores, type BatchEntry } from '../recipe/batch';

export const TABLE_FILE = 'results.csv';

/**
 * For `BatchTable.of`: the table of the folders that are finished, with the scores that were filled in, and of those with a score the
 * others. Throws DestinationError `table-of-another` where a table lies in `where` that is not of these `entries`.
 */
export function tableOf(entries: readonly BatchEntry[], nameOf: (id: string) => string, file: string, where: string): (folders: readonly string[], before: string | null) => string {
  return (folders, before) => {
    // A browser leaves an empty file where it was stopped before the first byte.
    if (before === null || before.trim() === '') return batchTable(entries.filter(({ folder }) => folders.includes(folder)), nameOf);
    const text = withScores(batchTable(entries, nameOf), folders, before);
    if (text === null) throw new DestinationError('table-of-another', `${where} holds a ${file} that is not of these merges`, { file: `${where}/${file}` });
    return text;
  };
}
