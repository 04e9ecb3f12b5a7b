/** The command line's entry: arguments in, an exit code out. */
import { argv, exit, stderr, stdout } from 'node:process';
import { asStudioError } from '../bytes/errors';
import { adviceOn, interruptionWords, resumptionOf } from './advice';
import { carryOut } from './merge';
import { asText, outputOver, type Output } from './output';
import { readOptions, USAGE, UsageError, type Options } from './usage';

const FAULT = 1;
const NOT_POSSIBLE = 2;
const INTERRUPTED = 130;
/** What the user can change in the command or the recipe. */
const ASKED_WRONGLY: ReadonlySet<string> = new Set(['invalid-recipe', 'incompatible-checkpoints', 'malformed-file']);

/** A name in it may hold line ends: what follows one does not begin as a line of the command's own. */
const indented = (message: string) => asText(message).replaceAll('\n', '\n  ');

async function main(): Promise<number> {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  let options: Options | null = null;
  let output: Output | null = null;
  try {
    options = readOptions(argv.slice(2));
    if (options === null) {
      stdout.write(`${USAGE}\n`);
      return argv.length > 2 ? 0 : NOT_POSSIBLE;
    }
    output = outputOver(stdout, stderr, options.quiet);
    await carryOut(options, output, controller.signal);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      stderr.write(`${asText(error.message)}\n`);
      return NOT_POSSIBLE;
    }
    const { code, reason, message } = asStudioError(error);
    const kept = options && (await resumptionOf(options));
    const line = (text: string | null) => (text === null ? '' : `${text}\n`);
    if (code === 'cancelled') {
      stderr.write(asText(line(interruptionWords(output?.left ?? [])) + line(kept)));
      return INTERRUPTED;
    }
    stderr.write(`${code} (${reason}): ${indented(message)}\n${line(adviceOn(reason, options?.command ?? null) ?? kept)}`);
    return ASKED_WRONGLY.has(code) ? NOT_POSSIBLE : FAULT;
  }
}

/** Milliseconds that the end of what the disk was asked for is waited for: of a drive that is only slow it comes. */
const PATIENCE_MS = 30_000;
/** The same for who interrupted it, and waits. */
const INTERRUPTED_PATIENCE_MS = 2000;
const LOOK_MS = 20;

/** Whether the disk is still asked for something by a command that has ended, and does not answer within `patienceMs`. */
async function isStuck(patienceMs: number): Promise<boolean> {
  for (let waited = 0; waited < patienceMs; waited += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, waited === 0 ? 0 : LOOK_MS));
    if (!process.getActiveResourcesInfo().some((resource) => resource.startsWith('FSReq'))) return false;
  }
  return true;
}

const code = await main();
// exit() would wait for the thread that waits for the disk. What was said is with the terminal or the pipe by now.
if (code === INTERRUPTED && (await isStuck(INTERRUPTED_PATIENCE_MS))) {
  // To a shell this is the same code.
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
} else if (code !== 0 && (await isStuck(PATIENCE_MS))) process.kill(process.pid, 'SIGKILL');
// Not by itself: a device of the webgpu package keeps the process alive.
exit(code);
