/** The browser's private storage for this page, where an export waits to be downloaded. */
import { DestinationError } from '../bytes/errors';

/** Throws DestinationError where there is none: `insecure-page`, which browsers give none, or `no-storage`. */
export function privateStorage(): Pick<StorageManager, 'getDirectory'> {
  const { storage } = navigator as { readonly storage?: Partial<StorageManager> };
  if (typeof storage?.getDirectory === 'function') return storage as StorageManager;
  if (globalThis.isSecureContext === false) throw new DestinationError('insecure-page', 'browsers let secure pages alone write: https or localhost');
  throw new DestinationError('no-storage', 'this browser offers a page no storage of its own');
}
