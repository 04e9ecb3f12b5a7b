/**
 * The service worker: keeps one version of the studio on this machine, whole or not at all, so that it opens without a network.
 *
 * The build writes what a version consists of into LISTED (scripts/offline.mjs). A version is installed beside the one in use
 * and takes over when its last tab is closed, or when the user asks (message `take over`). Nothing but files of this page's
 * own folder is ever fetched.
 */

/** `version path=digest path=digest`: the digest is the first 16 hexadecimal digits of the file's SHA-256. */
const LISTED = '%PRECACHE%';

/** The parts of ServiceWorkerGlobalScope used here; TypeScript cannot have its library beside that of pages. */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: { waitUntil(done: Promise<unknown>): void }) => void): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  addEventListener(type: 'fetch', listener: (event: { readonly request: Request; respondWith(response: Promise<Response>): void }) => void): void;
}
const scope = self as unknown as Scope;

const PREFIX = 'studio-';
const [version, ...entries] = LISTED.split(' ');
const CACHE = `${PREFIX}${version!}`;
const digests = new Map(entries.map((entry) => entry.split('=') as [string, string]));
/** A host may answer `index.html` with a redirection to its folder, which no navigation may be given. */
const addressOf = (path: string) => new URL(path === 'index.html' ? '.' : path, scope.registration.scope);
/** Read when somebody asks for it, then kept with the version. */
const ON_DEMAND = 'sample/';

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('message', ({ data }) => {
  if (data === 'take over') void scope.skipWaiting();
});
scope.addEventListener('fetch', (event) => {
  const path = pathOf(event.request);
  if (path !== null) event.respondWith(answer(event.request, path));
});

/** Throws when a file is not that of this version (half an update, a page of a hotel's network): the version in use stays. */
async function install(): Promise<void> {
  const files = await Promise.all(
    [...digests].map(async ([path, digest]) => {
      // A cache of the browser may still hold the version before.
      const response = await fetch(addressOf(path), { cache: 'no-cache' });
      if (!response.ok || (await digestOf(response.clone())) !== digest) throw new Error(`${path} is not of version ${version!}`);
      return [path, response] as const;
    }),
  );
  const cache = await caches.open(CACHE);
  for (const [path, response] of files) await cache.put(addressOf(path), response);
}

/** Tabs of the version before may still start workers from their own scripts: that version is kept, those before it are not. */
async function activate(): Promise<void> {
  const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(older.slice(0, -1).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** Path within the scope of a file kept here, null for what the network answers. */
function pathOf({ method, url }: Request): string | null {
  const { scope: root } = scope.registration;
  const bare = url.replace(/[?#].*$/s, '');
  if (method !== 'GET' || !bare.startsWith(root)) return null;
  const path = bare.slice(root.length) || 'index.html';
  return digests.has(path) || path.startsWith(ON_DEMAND) || path.startsWith('assets/') ? path : null;
}

async function answer(request: Request, path: string): Promise<Response> {
  const address = addressOf(path);
  const cache = await caches.open(CACHE);
  const kept = (await cache.match(address, { ignoreVary: true })) ?? (await caches.match(address, { ignoreVary: true }));
  if (kept) return kept;
  const response = await fetch(request);
  // A range is not the file.
  if (path.startsWith(ON_DEMAND) && response.status === 200 && !request.headers.has('range')) await cache.put(address, response.clone());
  return response;
}

async function digestOf(response: Response): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
