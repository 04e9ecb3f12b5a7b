/** Sources of which no opening or read is waited for for ever. */
import { SourceChangedError } from './errors';
import type { ByteSource } from './source';
import { ReadLimits, type Watchdog } from './watchdog';

/**
 * Opens as `open` does, which is of the file called `nameOf`. Opening and reading reject with SourceChangedError `stalled`, file and
 * seconds (`actual`), beyond the limit of any read, and with CancelledError soon after `signal` is aborted.
 */
export function watchedOpening<A extends readonly unknown[]>(open: (...of: A) => Promise<ByteSource>, nameOf: (...of: A) => string, watchdog: Watchdog, signal: AbortSignal): (...of: A) => Promise<ByteSource> {
  const watched = <T>(file: string, bytes: number, act: () => Promise<T>): Promise<T> => {
    const fault = (seconds: number) => new SourceChangedError('stalled', `${file} gave nothing for ${seconds} seconds`, { file, actual: seconds });
    return watchdog.over({ limitMs: new ReadLimits().of(bytes), fault, signal }, act);
  };
  return async (...of) => {
    const source = await watched(nameOf(...of), 0, () => open(...of));
    const { name, size } = source;
    return { name, size, read: (begin, end) => watched(name, end - begin, () => source.read(begin, end)) };
  };
}
