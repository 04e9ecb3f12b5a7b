/** Folders and files that were opened, kept by the browser as handles, so that the next page can offer them again. No bytes. */
import type { KeptCheckpoint, KeptRoot, PickedFile } from '../worker/protocol';
import { completed, openDatabase, outcome } from './database';
import { sourceFault } from './faults';
import { Findings, walkHandle } from './walk';

const DATABASE = 'model-merging-studio-files';
const STORE = 'handles';
/** Roots kept; the oldest go. */
export const MOST_ROOTS = 12;

/** Permission is newer than TypeScript's library; a handle of private storage needs none. */
type Handle = FileSystemHandle & {
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>;
};
interface Entry extends KeptRoot {
  readonly handle: Handle;
}

/** All replies are what is kept then, the latest first. */
export interface KeptHandles {
  list(): Promise<readonly KeptRoot[]>;
  /** `root` (what a `PickedFile` names) holds these checkpoints; it takes the place of an older handle of the same folder or file. */
  keep(root: unknown, checkpoints: readonly KeptCheckpoint[]): Promise<readonly KeptRoot[]>;
  /** A checkpoint is of no interest any more, by id; what holds no other goes. */
  forget(checkpoint: string): Promise<readonly KeptRoot[]>;
  forgetRoot(key: number): Promise<readonly KeptRoot[]>;
  /**
   * The files of a root, once the user has let them be read. Must be called from a user gesture, at once. Rejects as `sourceFault`
   * says when that is refused or the root is gone.
   */
  pick(key: number): Promise<PickedFile[]>;
}

/**
 * Where the browser has no such handles, no database or will not store one, nothing is kept, and nobody is stopped. `session`:
 * larger for a later page.
 */
export function openKeptHandles(session: number, factory: IDBFactory | undefined = globalThis.indexedDB): KeptHandles {
  let entries: readonly Entry[] = [];
  let database: Promise<IDBDatabase | null> | null = null;
  /** One change after the other: each depends on what is there. */
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn(act: (open: IDBDatabase) => Promise<void>): Promise<readonly KeptRoot[]> {
    const done = turn.then(async () => {
      try {
        database ??= openDatabase(factory, DATABASE, (made) => void made.createObjectStore(STORE, { keyPath: 'key', autoIncrement: true })).catch(() => null);
        const open = await database;
        if (open === null) return;
        await act(open);
        entries = await stored(open);
      } catch {
        // What cannot be kept is dropped anew.
      }
    });
    turn = done;
    return done.then(() => entries.map(({ key, name, session: of, checkpoints }) => ({ key, name, session: of, checkpoints })));
  }
  const write = (open: IDBDatabase, act: (store: IDBObjectStore) => void): Promise<void> => {
    const transaction = open.transaction(STORE, 'readwrite');
    act(transaction.objectStore(STORE));
    return completed(transaction);
  };

  return {
    list: () => inTurn(async () => {}),
    keep: (root, checkpoints) =>
      inTurn(async (open) => {
        const handle = root as Handle;
        const known = await stored(open);
        const same = await Promise.all(known.map((entry) => entry.handle.isSameEntry(handle).catch(() => false)));
        const kept: Omit<Entry, 'key'> = { name: handle.name, session, checkpoints, handle };
        const gone = known.filter((_, i) => same[i]);
        const oldest = known.filter((_, i) => !same[i]).slice(MOST_ROOTS - 1);
        await write(open, (store) => {
          for (const entry of [...gone, ...oldest]) store.delete(entry.key);
          store.put(kept);
        });
      }),
    forget: (checkpoint) =>
      inTurn(async (open) => {
        const held = (await stored(open)).filter(({ checkpoints }) => checkpoints.some(({ id }) => id === checkpoint));
        await write(open, (store) => {
          for (const entry of held) {
            const left = entry.checkpoints.filter(({ id }) => id !== checkpoint);
            if (left.length > 0) store.put({ ...entry, checkpoints: left });
            else store.delete(entry.key);
          }
        });
      }),
    forgetRoot: (key) => inTurn((open) => write(open, (store) => void store.delete(key))),
    async pick(key) {
      const { handle, name } = entries.find((entry) => entry.key === key) ?? {};
      if (handle === undefined) return [];
      try {
        // Asked before anything is waited for: a browser asks its user only while a gesture lasts.
        const answer = handle.requestPermission?.({ mode: 'read' }) ?? 'granted';
        if ((await answer) !== 'granted') throw new DOMException('not granted', 'NotAllowedError');
        const found = new Findings();
        found.root = handle;
        await walkHandle(handle, found);
        return found.files;
      } catch (error) {
        throw sourceFault(error, name!);
      }
    },
  };
}

async function stored(database: IDBDatabase): Promise<Entry[]> {
  const all = await outcome<Entry[]>(database.transaction(STORE, 'readonly').objectStore(STORE).getAll());
  return all.sort((a, b) => b.key - a.key);
}
