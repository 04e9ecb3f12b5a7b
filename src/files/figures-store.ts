/** Exact figures kept across reloads: in IndexedDB where the browser has it, else as long as the page is open. */
import type { TensorFigures } from '../worker/protocol';
import { completed, openDatabase, outcome } from './database';

/** Recipes whose figures are kept; those of 291 tensors take about 150 KB. */
export const MOST_KEPT = 50;
const DATABASE = 'model-merging-studio';
const STORE = 'exact-figures';

/** The latest `MOST_KEPT` answers, by a key that says what they depend on. */
export interface FiguresStore {
  keys(): Promise<readonly string[]>;
  get(key: string): Promise<readonly TensorFigures[] | null>;
  /** Takes the place of an older one of the same key. */
  put(key: string, tensors: readonly TensorFigures[]): Promise<void>;
}

export function memoryFiguresStore(): FiguresStore {
  const kept = new Map<string, readonly TensorFigures[]>();
  return {
    keys: async () => [...kept.keys()],
    get: async (key) => kept.get(key) ?? null,
    put: async (key, tensors) => {
      kept.delete(key);
      kept.set(key, tensors);
      for (const oldest of [...kept.keys()].slice(0, -MOST_KEPT)) kept.delete(oldest);
    },
  };
}

interface Kept {
  readonly key: string;
  /** Larger is later. */
  readonly order: number;
  readonly tensors: readonly TensorFigures[];
}

/**
 * Never rejects: private windows and full disks refuse a database, and what only spares a second reading must stop nobody. What
 * the database does not take is kept in memory.
 */
export function openFiguresStore(factory: IDBFactory | undefined = globalThis.indexedDB): FiguresStore {
  const memory = memoryFiguresStore();
  let database: Promise<IDBDatabase | null> | null = null;

  async function ask<T>(act: (database: IDBDatabase) => Promise<T>): Promise<T | null> {
    database ??= openDatabase(factory, DATABASE, (made) => void made.createObjectStore(STORE, { keyPath: 'key' }).createIndex('order', 'order', { unique: true })).catch(() => null);
    const open = await database;
    if (open === null) return null;
    try {
      return await act(open);
    } catch {
      return null;
    }
  }
  return {
    async keys() {
      const stored = await ask((open) => outcome(entries(open, 'readonly').getAllKeys()));
      return [...((stored ?? []) as string[]), ...(await memory.keys())];
    },
    async get(key) {
      const stored = await ask((open) => outcome<Kept | undefined>(entries(open, 'readonly').get(key)));
      return stored?.tensors ?? memory.get(key);
    },
    async put(key, tensors) {
      if ((await ask((open) => replace(open, key, tensors))) === null) await memory.put(key, tensors);
    },
  };
}

async function replace(database: IDBDatabase, key: string, tensors: readonly TensorFigures[]): Promise<true> {
  const store = entries(database, 'readwrite');
  const byOrder = store.index('order');
  const last = await outcome(byOrder.openKeyCursor(null, 'prev'));
  const kept: Kept = { key, order: Number(last?.key ?? 0) + 1, tensors };
  store.put(kept);
  const keys = await outcome(byOrder.getAllKeys());
  for (const oldest of keys.slice(0, -MOST_KEPT)) store.delete(oldest);
  await completed(store.transaction);
  return true;
}

function entries(database: IDBDatabase, mode: IDBTransactionMode): IDBObjectStore {
  return database.transaction(STORE, mode).objectStore(STORE);
}
