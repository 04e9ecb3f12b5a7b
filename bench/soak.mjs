/** Merging one family again and again in one tab: does memory grow? */
import { join } from 'node:path';
import { removeAtEnd } from './janitor.mjs';
import { residentNow, tellsMemory } from './memory.mjs';
import { openStudio } from './pipeline.mjs';
import { makeFamily, parametersOf } from './families.mjs';
import { median, slope } from './statistics.mjs';

const SAMPLE_MS = 1000;

/**
 * Merges for `minutes`, the last merge to its end. Resolves to `{family, backend, minutes, merges, points}`; a point is one merge:
 * `{minute, residentBytes, peakBytes, heapBytes}`, the median and the peak of renderer and GPU process above the empty page while
 * it ran, and the page's JavaScript heap after it.
 */
export async function soak({ chromium, launch, url, cache, family, choice, minutes, onPoint }) {
  if (!tellsMemory) throw new Error('soak-merge reads the memory of processes from /proc, which this system does not have');
  const paths = await makeFamily(family, cache, 2.2 * parametersOf(family));
  const profile = join(cache, 'profile');
  const janitor = removeAtEnd([profile]);
  const { context, page, empty } = await openStudio({ chromium, launch, profile, url, paths });
  try {
    const backend = await page.evaluate((wanted) => window.studio.start(wanted), choice);
    const began = Date.now();
    const elapsed = () => (Date.now() - began) / 60_000;
    const points = [];
    while (elapsed() < minutes) {
      const seen = [];
      const timer = setInterval(() => seen.push(residentNow()), SAMPLE_MS);
      const { verified, tensors } = await page.evaluate(() => window.studio.merge());
      clearInterval(timer);
      if (verified !== tensors) throw new Error(`${verified} of ${tensors} tensors verified`);
      seen.push(residentNow());
      const heapBytes = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? null);
      const point = { minute: elapsed(), residentBytes: median(seen) - empty, peakBytes: Math.max(...seen) - empty, heapBytes };
      points.push(point);
      onPoint(point);
    }
    return { family, backend, minutes: elapsed(), merges: points.length, points };
  } finally {
    await context.close();
    await janitor.release();
  }
}

/** Bytes an hour of a figure, the first third left out: caches fill and code is compiled. */
export function growth(points, key) {
  return 60 * slope(points.slice(Math.floor(points.length / 3)).map((point) => [point.minute, point[key]]));
}

/** The section of bench/RESULTS.md. */
export function soakText({ family, backend, minutes, merges, points }) {
  const mebibytes = (bytes) => (bytes === null ? '' : Math.round(bytes / 2 ** 20));
  const each = Math.max(1, Math.ceil(points.length / 12));
  const rows = points.filter((_, i) => i % each === 0 || i === points.length - 1);
  const hourly = (key) => `${(growth(points, key) / 2 ** 20).toFixed(0)} MiB an hour`;
  return [
    '## One tab for long',
    '',
    `${merges} merges of the ${family} family one after the other in one tab, ${minutes.toFixed(1)} minutes, ${backend}. MiB of renderer and`,
    'GPU process above an empty page: median and peak of each merge; the heap is that of the page. Slopes of the line of least',
    `squares, the first third left out: resident ${hourly('residentBytes')}, peak ${hourly('peakBytes')}, heap ${hourly('heapBytes')}.`,
    '',
    '| minute | resident | peak | heap |',
    '|---:|---:|---:|---:|',
    ...rows.map(({ minute, residentBytes, peakBytes, heapBytes }) => `| ${minute.toFixed(1)} | ${mebibytes(residentBytes)} | ${mebibytes(peakBytes)} | ${mebibytes(heapBytes)} |`),
    '',
  ];
}
