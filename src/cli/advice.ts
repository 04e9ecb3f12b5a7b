/** What the user can do about an error, in the options of the command that met it. */
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
