/**
 * Removes folders once whoever asked for it is gone, however that went: killed too. A process of its own, which waits for the end
 * of its input.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);
/** A browser that is being ended still writes for a moment. */
const TRIES = { recursive: true, force: true, maxRetries: 20, retryDelay: 500 };

/** `folders` are removed when this process ends, or when `release` is called, which waits until they are. */
export function removeAtEnd(folders) {
  const child = spawn(process.execPath, [HERE, ...folders], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
  const done = new Promise((resolve) => child.once('exit', resolve));
  child.unref();
  child.stdin.unref();
  return {
    release: async () => {
      child.ref();
      child.stdin.end();
      await done;
    },
  };
}

if (process.argv[1] === HERE) {
  process.stdin.resume();
  process.stdin.once('close', () => {
    for (const folder of process.argv.slice(2)) rmSync(folder, TRIES);
  });
}
