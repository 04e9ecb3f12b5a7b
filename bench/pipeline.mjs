/** Merging synthetic families from files to files in Chromium, beside a raw copy of the same bytes in the same run. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { dropCaches, WARM_BYTES } from './cache.mjs';
import { watchThreads } from './cpu-time.mjs';
import { MODELS, makeFamily, parametersOf } from './families.mjs';
import { removeAtEnd } from './janitor.mjs';
import { watchMemory } from './memory.mjs';

/** A page of measurements with a family's files given to it, and what an empty one had resident. */
export async function openStudio({ chromium, launch, profile, url, paths }) {
  rmSync(profile, { recursive: true, force: true });
  // A context with a folder: private storage of one without is kept in memory.
  const context = await chromium.launchPersistentContext(profile, launch);
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.goto('about:blank');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const memory = watchMemory();
  const empty = memory.now();
  memory.stop();
  await page.goto(new URL('pipeline/', url).href);
  for (const model of MODELS) await page.setInputFiles(`#${model}`, paths[model]);
  return { context, page, empty };
}

/** One measurement of `act`, with the peak of memory above the empty page and the CPU seconds of its threads. */
async function watched(empty, act) {
  const memory = watchMemory();
  const threads = watchThreads();
  const result = await act();
  const cpuSeconds = threads.stop();
  const peak = memory.stop();
  return { ...result, cpuSeconds, residentBytes: peak === null ? null : peak - empty };
}

/**
 * One family: for every backend a browser of its own, in which copies and merges take turns. Each run says whether its files were
 * in the system's cache: `cold` after dropping it, `warm` after another run, `large` where they do not fit.
 */
export async function measureFamily({ chromium, launch, url, cache, family, backends, repetitions, onRun }) {
  const paths = await makeFamily(family, cache);
  const isLarge = 6 * parametersOf(family) > WARM_BYTES;
  const profile = join(cache, 'profile');
  const runs = [];
  for (const choice of backends) {
    const janitor = removeAtEnd([profile]);
    const { context, page, empty } = await openStudio({ chromium, launch, profile, url, paths });
    try {
      const backend = await page.evaluate((wanted) => window.studio.start(wanted), choice);
      const times = (kind) => Array(repetitions).fill(kind);
      const kinds = isLarge ? times('large') : [...times('cold'), ...times('warm')];
      for (const kind of kinds) {
        for (const what of ['copy', 'merge']) {
          const isCold = kind === 'warm' ? false : dropCaches();
          const act = () => page.evaluate((name) => window.studio[name](), what);
          const measured = await watched(empty, act);
          const reads = what === 'merge' ? await page.evaluate(() => window.studio.reads()) : null;
          const ledgerBytes = what === 'merge' ? await page.evaluate(() => window.studio.ledger()) : null;
          const run = { family, choice, backend, what, cache: kind === 'cold' && !isCold ? 'warm' : kind, ...measured, ledgerBytes, reads };
          runs.push(run);
          onRun(run);
        }
      }
    } finally {
      await context.close();
      await janitor.release();
    }
  }
  return runs;
}
