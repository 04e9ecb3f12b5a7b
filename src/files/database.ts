/** The browser's database, as its callers wait for it. */

/** Opens `name`, made by `make` where it is new. Rejects where there is none. */
export async function openDatabase(factory: IDBFactory | undefined, name: string, make: (database: IDBDatabase) => void): Promise<IDBDatabase> {
  if (factory === undefined) throw new Error('this browser has no IndexedDB');
  const request = factory.open(name, 1);
  request.onupgradeneeded = () => make(request.result);
  const database = await outcome(request);
  // A later version of the page must not wait for this one.
  database.onversionchange = () => database.close();
  return database;
}

export function outcome<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the database gave no reason'));
  });
}

/** Resolves when all that was asked of it is stored. */
export function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was given up'));
  });
}
