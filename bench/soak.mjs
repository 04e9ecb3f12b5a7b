/** Merging one family again and again in one tab: does memory grow? */
import { join } from 'node:path';
import { removeAtEnd } from './janitor.mjs';
import { residentNow, tellsMemory } from './memory.mjs';
import { openStudio } from './pipeline.mjs';
import { makeFamily } from './families.mjs';
import { growthOf, median } from './statistics.mjs';

const SAMPLE_MS = 1000;

/**
 * Merges for `minutes`, the last merge to its end. Resolves to `{family, backend, minutes, merges, points}`; a point is one merge:
 * `{minute, seconds, residentBytes, peakBytes, heapBytes, ledgerBytes}`, the median and the peak of renderer and GPU process above
 * the empty page while it ran, the page's JavaScript heap after it and the most that the engine has held in device buffers since
 * the start (null without a device). `onPoint` hears of each, and of all so far: what is known when the run is ended early.
 */
export async function soak({ chromium, launch, url, cache, family, choice, minutes, onPoint }) {
  if (!tellsMemory) throw new Error('soak-merge reads the memory of processes from /proc, which this system does not have');
  const paths = await makeFamily(family, cache);
  const profile = join(cache, 'profile');
  const janitor = removeAtEnd([profile]);
  const { context, page, empty } = await openStudio({ chromium, launch, profile, url, paths });
  try {
    const backend = await page.evaluate((wanted) => window.studio.start(wanted), choice);
    const began = Date.now();
    const elapsed = () => (Date.now() - began) / 60_000;
    const points = [];
    const told = () => ({ family, backend, minutes: elapsed(), merges: points.length, points });
    while (elapsed() < minutes) {
      const seen = [];
      const timer = setInterval(() => seen.push(residentNow()), SAMPLE_MS);
      const { verified, tensors, verifiedSeconds } = await page.evaluate(() => window.studio.merge());
      clearInterval(timer);
      if (verified !== tensors) throw new Error(`${verified} of ${tensors} tensors verified`);
      seen.push(residentNow());
      const heapBytes = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? null);
      const ledgerBytes = await page.evaluate(() => window.studio.ledger());
      points.push({ minute: elapsed(), seconds: verifiedSeconds, residentBytes: median(seen) - empty, peakBytes: Math.max(...seen) - empty, heapBytes, ledgerBytes });
      onPoint(points.at(-1), told());
    }
    return told();
  } finally {
    await context.close();
    await janitor.release();
  }
}

/** The section of bench/RESULTS.md. */
export function soakText({ family, backend, minutes, merges, points }) {
  const mebibytes = (bytes) => (bytes == null ? '' : Math.round(bytes / 2 ** 20));
  const each = Math.max(1, Math.ceil(points.length / 12));
  const rows = points.filter((_, i) => i % each === 0 || i === points.length - 1);
  const mib = (bytes) => (bytes / 2 ** 20).toFixed(0);
  const hourly = (what, key) => {
    const { slope, low, high } = growthOf(points, key);
    return `| ${what} | ${mib(slope)} | ${low === null ? '' : `${mib(low)} to ${mib(high)}`} |`;
  };
  const ledger = points.at(-1)?.ledgerBytes ?? null;
  return [
    '## One tab for long',
    '',
    `${merges} merges of the ${family} family one after the other in one tab, ${minutes.toFixed(1)} minutes, ${backend}. MiB of renderer and`,
    'GPU process above an empty page: median and peak of each merge; the heap is that of the page. The ledger of device buffers:',
    `${ledger === null ? 'no device' : `${mebibytes(ledger)} MiB`}. Slopes are of the line of least squares, the first sixth of the time left out.`,
    '',
    '| | MiB an hour | 95 % interval |',
    '|---|---:|---:|',
    hourly('resident', 'residentBytes'),
    hourly('peak', 'peakBytes'),
    hourly('heap', 'heapBytes'),
    '',
    '| minute | resident | peak | heap |',
    '|---:|---:|---:|---:|',
    ...rows.map(({ minute, residentBytes, peakBytes, heapBytes }) => `| ${minute.toFixed(1)} | ${mebibytes(residentBytes)} | ${mebibytes(peakBytes)} | ${mebibytes(heapBytes)} |`),
    '',
  ];
}
