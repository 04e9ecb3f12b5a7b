import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

export const SERVICE_WORKER = 'service-worker.js';
const PLACE = '%PRECACHE%';

/** Kept with a version: not the sample family (kept when it is asked for), nor what only a debugger reads. */
const isKept = (path) => path !== SERVICE_WORKER && !path.startsWith('sample/') && !path.endsWith('.map');

async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/**
 * Writes the list of a built version's files, each with its digest, into the service worker of `folder`. Its version is the
 * digest of that list, so that the same files are the same version. Throws if the service worker has no place for the list.
 */
export async function listVersion(folder) {
  const files = (await filesIn(folder)).filter(isKept);
  const listed = await Promise.all(files.map(async (path) => `${path}=${digestOf(await readFile(join(folder, path)))}`));
  const script = join(folder, SERVICE_WORKER);
  const source = await readFile(script, 'utf8');
  if (source.split(PLACE).length !== 2) throw new Error(`${SERVICE_WORKER} has no one place for the list of files`);
  await writeFile(script, source.replace(PLACE, [digestOf(listed.join(' ')), ...listed].join(' ')));
}

/** Builds the service worker at a fixed address beside the page, and lists the version in it. */
export function offline() {
  let folder = 'dist';
  return {
    name: 'offline',
    apply: 'build',
    config: () => ({
      build: {
        rollupOptions: {
          input: { index: 'index.html', 'service-worker': 'src/offline/service-worker.ts' },
          output: { entryFileNames: ({ name }) => (name === 'service-worker' ? SERVICE_WORKER : 'assets/[name]-[hash].js') },
        },
      },
    }),
    configResolved({ build }) {
      folder = build.outDir;
    },
    closeBundle: { sequential: true, order: 'post', handler: () => listVersion(folder) },
  };
}
