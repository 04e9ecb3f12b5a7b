/**
 * Noticing that a worker has ended. Browsers give no event when they end one that is out of memory; but a lock that it holds is
 * then free.
 */

/** Why a worker that said nothing is taken to have ended. */
export const SILENT_END = 'it ended without a word, as browsers do when memory is short';

// Absent on pages that are not secure: there such an end goes unnoticed.
const locks = (): LockManager | undefined => navigator.locks;

/** A name that no other worker has. */
export function nameFor(what: string): string {
  return `${what}-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
}

/** In a worker: takes the lock of its own name, for as long as it lives. Never rejects. */
export function holdOwnName(): Promise<void> {
  return new Promise((resolve) => {
    const known = locks();
    if (!known || self.name === '') return resolve();
    known
      .request(self.name, () => {
        resolve();
        return new Promise(() => {});
      })
      .catch(() => resolve());
  });
}

/** Resolves when the worker of that name has ended. To be asked once it holds its name: whoever gets the lock then has outlived it. */
export function hasEnded(name: string): Promise<void> {
  return locks()?.request(name, () => {}) ?? new Promise(() => {});
}
