/** Fixture files, the same under Node and in a browser. */

/** Reads `path`, relative to tests/fixtures. Rejects, naming the path, when there is no such file. */
export type LoadFixture = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

// In a variable, or the bundler would take the URLs below for assets.
const HERE = import.meta.url;

async function readFixtureFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import('node:fs/promises');
  return new Uint8Array(await readFile(new URL(`../fixtures/${path}`, HERE)));
}

async function fetchFixture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(`../fixtures/${path}`, HERE));
  // The development server answers a missing file with its page.
  const isPage = response.headers.get('content-type')?.startsWith('text/html') === true;
  if (!response.ok || isPage) throw new Error(`no fixture ${path}: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export const loadFixture: LoadFixture = HERE.startsWith('file:') ? readFixtureFile : fetchFixture;

export async function loadJson<T>(path: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await loadFixture(path))) as T;
}
