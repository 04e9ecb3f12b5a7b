/** What of private storage is a finished export: it outlives the page that made it, and is downloaded or removed by the next. */
import { JOURNAL_FILE } from '../bytes/source';
import { TABLE_FILE } from '../compose/table';
import { loads } from '../merge/folder';
import type { ExportedStamp } from './protocol';

const folderOf = (name: string) => name.slice(0, name.lastIndexOf('/') + 1);

/** Of all `files`, those of exports that load and have no journal, with the table of several; by name. */
export function finishedOf(files: readonly ExportedStamp[]): ExportedStamp[] {
  const folders = [...new Set(files.map(({ name }) => folderOf(name)))];
  const finished = folders.filter((folder) => {
    const names = files.filter(({ name }) => folderOf(name) === folder).map(({ name }) => name.slice(folder.length));
    return names.some(loads) && !names.includes(JOURNAL_FILE);
  });
  const isOf = ({ name }: ExportedStamp) => finished.includes(folderOf(name)) || (finished.length > 0 && name === TABLE_FILE);
  return files.filter(isOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What makes an export load first: without it what is left is visibly incomplete. */
export function inOrderOfRemoval(stamps: readonly ExportedStamp[]): ExportedStamp[] {
  return [...stamps].sort((a, b) => Number(loads(b.name)) - Number(loads(a.name)));
}
