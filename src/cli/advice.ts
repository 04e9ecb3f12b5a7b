/** What the user can do about an error, in the options of the command that met it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JOURNAL_FILE } from '../bytes/source';
import { TABLE_FILE } from '../compose/table';
import { loads } from '../merge/folder';
import type { Options } from './usage';

const ANOTHER = 'choose another folder';

/** Null for a reason about which the command's options can do nothing. */
export function adviceOn(reason: string, command: Options['command'] | null): string | null {
  // A batch never replaces what is there.
  const replace = command === 'batch' ? `Remove it, or ${ANOTHER}.` : `Replace it with --replace, or ${ANOTHER}.`;
  switch (reason) {
    case 'unfinished':
      return command === 'batch' ? `Carry it on with --resume, or ${ANOTHER}.` : `Carry it on with --resume, replace it with --replace, or ${ANOTHER}.`;
    case 'folders-exist':
      return `Carry an interrupted batch on with --resume, or ${ANOTHER}.`;
    case 'table-of-another':
      return `Rename or remove it, or ${ANOTHER}.`;
    case 'locked':
      return `Wait until it has ended, or ${ANOTHER}.`;
    case 'part-running':
      return 'Wait until it has ended, then run --finish again.';
    case 'not-empty':
    case 'journal-of-another':
    case 'journal-broken':
      return replace;
    case 'journal-version':
      return `Carry it on with the version that began it. ${replace}`;
    default:
      return null;
  }
}

/** What to say after a command failed or was interrupted, where the same with --resume carries on: of `batch` its folders are looked at, and whether it has finished any. */
export async function resumptionOf({ command, out, part, finish }: Pick<Options, 'command' | 'out' | 'part' | 'finish'>): Promise<string | null> {
  if (out === null || part !== null || finish !== null || (command !== 'merge' && command !== 'batch')) return null;
  const entries = await readdir(out, { withFileTypes: true }).catch(() => []);
  const namesIn = (folder: string): Promise<string[]> => readdir(join(out, folder)).catch(() => []);
  const folders = command === 'batch' ? await Promise.all(entries.flatMap((entry) => (entry.isDirectory() ? [namesIn(entry.name)] : []))) : [];
  const isKept = entries.some(({ name }) => name === JOURNAL_FILE || (command === 'batch' && name === TABLE_FILE)) || folders.some((names) => names.includes(JOURNAL_FILE));
  return isKept ? 'What is finished is kept: --resume carries on.' : null;
}

/** `left`: files that could not be removed. */
export function interruptionWords(left: readonly string[]): string {
  const loading = left.filter((name) => loads(name.split('/').at(-1)!));
  return `interrupted: ${loading.length === 0 ? 'nothing unfinished was left that loads' : `by ${loading.join(', ')} something unfinished may load`}`;
}
