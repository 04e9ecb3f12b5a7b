/** Progress for people: one line that changes on a terminal, a line now and then in a log. */
import type { RunProgress } from '../merge/progress';
import type { Output } from './output';

/** Milliseconds between two states on a terminal, and in a log. */
const TERMINAL_MS = 200;
const LOG_MS = 10_000;

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

/** One line for a state of the run. */
export function progressLine({ phase, tensorsDone, tensors, bytesRead, bytesReadTotal, bytesWritten, bytesVerified, bytesWrittenTotal, elapsedMs }: RunProgress): string {
  const seconds = elapsedMs / 1000;
  if (phase === 'ranking') return `ranking over the whole model: ${gigabytes(bytesRead)} of ${gigabytes(bytesReadTotal)} read, ${seconds.toFixed(0)} s`;
  if (phase !== 'reading') return `${phase}: ${gigabytes(bytesVerified)} of ${gigabytes(bytesWrittenTotal)} read again, ${seconds.toFixed(0)} s`;
  const left = bytesRead === 0 ? null : (seconds * (bytesReadTotal - bytesRead)) / bytesRead;
  const remaining = left === null || seconds < 2 ? '' : `, about ${left.toFixed(0)} s left`;
  return `${tensorsDone} of ${tensors} tensors, ${gigabytes(bytesRead)} of ${gigabytes(bytesReadTotal)} read, ${gigabytes(bytesWritten)} written, ${seconds.toFixed(0)} s${remaining}`;
}

/** A listener for `RunHooks.onProgress`, and what ends its last line. */
export function reportProgress(output: Output, now: () => number = () => performance.now()) {
  let last = -Infinity;
  let open = false;
  return {
    onProgress(progress: RunProgress): void {
      if (now() - last < (output.isTerminal ? TERMINAL_MS : LOG_MS)) return;
      last = now();
      open = output.isTerminal;
      if (output.isTerminal) output.redraw(progressLine(progress));
      else output.write(`${progressLine(progress)}\n`);
    },
    end(): void {
      if (open) output.redraw('');
      open = false;
    },
  };
}
