import { CancelledError } from '../bytes/errors';

/** Throws CancelledError when the signal was aborted, or the StudioError it was aborted with. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof CancelledError ? signal.reason : new CancelledError();
}
