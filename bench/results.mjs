/** What was measured: bench/results.json, part by part, and bench/RESULTS.md, which says the same to people. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../scripts/project.mjs';
import { barsText, scalingOf } from './bars.mjs';
import { FAMILIES } from './families.mjs';
import { soakText } from './soak.mjs';
import { median } from './statistics.mjs';

const JSON_FILE = join(ROOT, 'bench', 'results.json');
const TEXT_FILE = join(ROOT, 'bench', 'RESULTS.md');
const MIB = 2 ** 20;

/** Where and of what something was measured; each part carries its own. */
export function circumstances(more) {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  let commit = 'unknown';
  try {
    commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    // Not a clone.
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${os.cpus()[0]?.model.trim() ?? os.arch()}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()}`,
    studio: `${version} (${commit})`,
    node: process.versions.node,
    ...more,
  };
}

export function readResults() {
  return existsSync(JSON_FILE) ? JSON.parse(readFileSync(JSON_FILE, 'utf8')) : {};
}

/** Writes both files. Resolves to the text. */
export function writeResults(results) {
  writeFileSync(JSON_FILE, `${JSON.stringify(results, null, 1)}\n`);
  const text = textOf(results);
  writeFileSync(TEXT_FILE, text);
  return text;
}

const where = ({ date, machine, load, browser, adapter, studio, node }) =>
  [`${date}; ${machine}`, load && `load ${load.toFixed(1)}`, browser && `Chromium ${browser}`, adapter && `adapter: ${adapter}`, `studio ${studio}, Node ${node}`].filter(Boolean).join('; ');

function textOf(results) {
  const { files, nodeFiles, cpu, tensor, node, soak } = results;
  return [
    '# Measurements',
    '',
    'Written by `npm run bench` from results.json; do not edit. Each part says when and where it was measured.',
    '',
    ...barsText(results),
    ...(files ? filesText(IN_CHROMIUM, bySize(Object.values(files))) : []),
    ...(nodeFiles ? filesText(UNDER_NODE, bySize(Object.values(nodeFiles))) : []),
    ...(soak ? [...soakText(soak), `- ${where(soak)}`, ''] : []),
    ...(cpu ? tensorText('One tensor, the CPU backend under Node', cpu) : []),
    ...(tensor ? tensorText('One tensor, in the page', tensor) : []),
    ...(node ? tensorText('One tensor, the engine under Node', node) : []),
  ].join('\n');
}

function bySize(measured) {
  const sizeOf = ({ runs }) => Object.keys(FAMILIES).indexOf(runs[0].family);
  return [...measured].sort((a, b) => sizeOf(a) - sizeOf(b));
}

const IN_CHROMIUM = {
  title: 'Files to files, in Chromium',
  ways: ['from the disk into private storage, through the worker that ships.', 'in the same browser'],
  resident: 'renderer and GPU process together above an empty page',
};
const UNDER_NODE = {
  title: 'Files to files, under Node',
  ways: ['from a folder of the disk into another, as the command line does.', 'by the same process'],
  resident: 'the process above what it had before the first run',
};

function filesText({ title, ways, resident }, families) {
  const runs = families.flatMap(({ runs: own }) => own);
  const groups = new Map();
  for (const run of runs) {
    const key = `${run.family} ${run.choice} ${run.cache}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const rows = [...groups.values()].flatMap((group) => rowOf(group));
  const peaks = families.flatMap(peaksOf);
  return [
    `## ${title}`,
    '',
    `Base and two models, BF16, TIES at densities (0.2, 1.0), ${ways[0]}`,
    `*Copy* reads the same input bytes and writes as many output bytes, with no arithmetic, ${ways[1]}. *Merge* is until`,
    'every file is final; *verified* until all of it was read again and compared. The cache of the system is *cold* (dropped before',
    'each run), *warm* (the same files were just read) or the files are too *large* to stay in memory. *Reading*, *computing* and',
    '*writing* overlap: seconds in which at least one read or write was under way, and in which the backend neither waited for bytes',
    'nor for room. Medians where there are several runs. What else a machine does changes all of it: compare within a row.',
    '',
    ...families.map((family) => `- ${family.runs[0].family}, ${family.runs[0].choice}: ${where(family)}`),
    '',
    '| family | backend | cache | copy s | copy GB/s | merge s | merge / copy | GB/s | million parameters/s | reading s | computing s | writing s | verified s |',
    '|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
    '',
    ...scalingText(runs),
    ...threadsText(groups),
    `Memory in MiB: *resident* is the peak of ${resident}; *ledger* what the engine held in`,
    'device buffers; *plan* what the studio said before the start that a run holds.',
    '',
    '| family | backend | resident, copy | resident, merge | ledger | plan |',
    '|---|---|---:|---:|---:|---:|',
    ...peaks,
    '',
  ];
}

/** How merge / copy changes with size. */
function scalingText(runs) {
  const families = Object.keys(FAMILIES);
  const cell = (ratio, [least, most] = []) => {
    if (ratio === undefined) return 'not measured';
    return least === most ? ratio.toFixed(2) : `${ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
  };
  return [
    'Merge / copy over sizes, files that do not stay in memory counted as cold: of the medians, and in brackets the least and the most of',
    'the pairs of a copy and the merge after it. *Spread* is the largest over the smallest, less one:',
    '',
    `| backend | cache | ${families.join(' | ')} | spread |`,
    `|---|---|${'---:|'.repeat(families.length + 1)}`,
    ...scalingOf(runs).map(({ backend, cache, ratios, ranges, spread }) => {
      const cells = families.map((family) => cell(ratios[family], ranges[family]));
      return `| ${backend} | ${cache} | ${cells.join(' | ')} | ${spread === null ? '' : `${(100 * spread).toFixed(0)} %`} |`;
    }),
    '',
  ];
}

/** Where the CPU's time goes, and how many reads a merge takes. */
function threadsText(groups) {
  const told = [...groups.values()].flatMap((group) => ['copy', 'merge'].map((what) => group.filter((run) => run.what === what && run.cpuSeconds))).filter(({ length }) => length > 0);
  if (told.length === 0) return [];
  const rows = told.map((runs) => {
    const [{ family, backend, cache, what, reads }] = runs;
    const of = (part) => median(runs.map(({ cpuSeconds }) => cpuSeconds[part])).toFixed(1);
    const seen = reads?.count ? `${reads.count} of ${(reads.bytes / reads.count / MIB).toFixed(1)}` : '';
    return `| ${[family, backend, cache, what, of('files'), of('studio'), of('workers'), of('pool'), of('other'), seen].join(' | ')} |`;
  });
  return [
    'CPU seconds of threads (medians), verification included: *files* are the browser and its utility processes, which read and write;',
    '*studio* is the worker that hands bytes on, *workers* compute, digest pieces and hash whole files at the end, *pool* collects garbage.',
    '*Reads* of inputs of 64 KiB or more, and MiB of each on average:',
    '',
    '| family | backend | cache | | files | studio | workers | pool | other | reads |',
    '|---|---|---|---|---:|---:|---:|---:|---:|---:|',
    ...rows,
    '',
  ];
}

function rowOf(group) {
  const of = (what, key) => median(group.filter((run) => run.what === what).map((run) => run[key]));
  const merges = group.filter(({ what }) => what === 'merge');
  if (merges.length === 0 || merges.length === group.length) return [];
  const [{ family, backend, cache, parameters, bytesRead, bytesWritten }] = merges;
  const moved = bytesRead + bytesWritten;
  const [copy, merge] = [of('copy', 'seconds'), of('merge', 'seconds')];
  const copied = group.find(({ what }) => what === 'copy');
  const cells = [
    family,
    backend,
    cache,
    copy.toFixed(2),
    ((copied.bytesRead + copied.bytesWritten) / 1e9 / copy).toFixed(2),
    merge.toFixed(2),
    (merge / copy).toFixed(2),
    (moved / 1e9 / merge).toFixed(2),
    (parameters / 1e6 / merge).toFixed(1),
    of('merge', 'readingSeconds').toFixed(1),
    of('merge', 'computingSeconds').toFixed(1),
    of('merge', 'writingSeconds').toFixed(1),
    of('merge', 'verifiedSeconds').toFixed(2),
  ];
  return [`| ${cells.join(' | ')} |`];
}

function peaksOf({ runs }) {
  const mebibytes = (bytes) => (bytes === null ? 'not measured' : Math.round(bytes / MIB));
  const peak = (what) => runs.filter((run) => run.what === what).reduce((most, { residentBytes }) => (residentBytes === null ? null : Math.max(most, residentBytes)), 0);
  const merge = runs.find(({ what }) => what === 'merge');
  if (!merge) return [];
  const ledger = merge.ledgerBytes === null ? 'no device' : mebibytes(merge.ledgerBytes);
  return [`| ${merge.family} | ${merge.backend} | ${mebibytes(peak('copy'))} | ${mebibytes(peak('merge'))} | ${ledger} | ${mebibytes(merge.plannedPeakBytes)} |`];
}

function tensorText(title, { rows, elements, counted = [], idle = [], ...about }) {
  return [
    `## ${title}`,
    '',
    `One seeded tensor of ${(elements / 2 ** 20).toFixed(0)} Mi values in BF16 with a base and two models, inputs in memory; a whole merge is TIES, passes are`,
    'those of TIES-SV at (0.2, 1.0) and 4 %. Bytes of a pass are what it moves on the device, of the other rows what is read. Each row: one',
    'run to warm up, then the repetitions.',
    '',
    `- ${where(about)}`,
    '',
    '| measured | median s | range s | repetitions | MiB/s | million parameters/s |',
    '|---|---:|---:|---:|---:|---:|',
    ...rows.map(({ name, bytes, elements: own = elements, seconds }) => {
      const typical = median(seconds);
      const spread = `${Math.min(...seconds).toFixed(3)} to ${Math.max(...seconds).toFixed(3)}`;
      const rate = bytes === 0 ? '' : (bytes / MIB / typical).toFixed(0);
      const parameters = own === 0 ? '' : (own / 1e6 / typical).toFixed(1);
      return `| ${name} | ${typical.toFixed(3)} | ${spread} | ${seconds.length} | ${rate} | ${parameters} |`;
    }),
    '',
    ...counted.flatMap(({ title: merge, readings, submissions, missed }) => [
      `- ${merge} on the engine, counted: base and models read ${readings.map((times) => times.toFixed(2)).join(', ')} times from device memory; submissions: ${submissions}${missed > 0 ? '; the bracket missed' : ''}.`,
    ]),
    ...idle.map(({ title: merge, times, seconds }) => `- ${merge}, watched once: the queue was empty ${times} times between its first submission and its last, ${(1000 * seconds).toFixed(0)} ms in all.`),
    ...(counted.length > 0 ? [''] : []),
  ];
}
