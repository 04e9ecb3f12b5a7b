/** What the command line says. Names and texts of files are shown as text: a terminal obeys none of it. */
import { INVISIBLE } from '../export/markdown';

export interface Output {
  readonly isTerminal: boolean;
  /** Lines; nothing where only errors are wanted. */
  write(text: string): void;
  /** Lines that are said in any case, with the errors. */
  warn(text: string): void;
  /** Says in any case which files of a run that failed could not be removed. */
  leave(names: readonly string[]): void;
  /** All of these. */
  readonly left: readonly string[];
  /** Of a terminal: a line in the place of the one that the call before left; an empty one takes that away. */
  redraw(line: string): void;
}
interface Stream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BEGIN_AND_CLEAR = '\r\u001b[2K';

/** One line: what is invisible, turns text around or commands a terminal is replaced, line ends too. */
export function oneLine(text: string): string {
  return text.replace(INVISIBLE, '\ufffd');
}

/** The same for several lines. */
export function asText(text: string): string {
  return text.replace(INVISIBLE, (character) => (character === '\n' ? character : '\ufffd'));
}

/** Over a process's streams. */
export function outputOver(out: Stream, errors: Stream, isQuiet: boolean): Output {
  const left: string[] = [];
  const warn = (text: string) => void errors.write(asText(text));
  return {
    left,
    isTerminal: out.isTTY === true && !isQuiet,
    write: (text) => void (isQuiet || out.write(asText(text))),
    warn,
    leave(names) {
      left.push(...names);
      warn(`could not be removed: ${oneLine(names.join(', '))}\n`);
    },
    redraw: (line) => void (isQuiet || out.write(BEGIN_AND_CLEAR + oneLine(line))),
  };
}
