/** The bars of a fast, bounded merge, and which of them the measurements reach. Pure: results in, rows out. */
import { FAMILIES } from './families.mjs';
import { growthOf, median } from './statistics.mjs';

/** Bytes: renderer and GPU processes together above an empty page. */
const MEMORY_LIMIT = 1.5e9;
/** What memory may grow by in an hour of merges, of what is held: the top of the interval, since a steep line that is not sure is not flat. */
const GROWTH_LIMIT = 0.1;
const HOUR_MINUTES = 60;
const NO_GPU = 'no GPU';

/** Rows `{bar, measured, verdict}`; `verdict` is pass, miss, or `not measured: WHY`. */
export function barsOf({ files = {}, nodeFiles = {}, cpu, node, tensor, soak }) {
  const runs = runsOf(files);
  const onGpu = [node, tensor].find((one) => one?.gpu === true);
  return [
    ratioOnGpu('under Node', runsOf(nodeFiles)),
    ratioOnGpu('in Chromium', runs),
    ...passesOnGpu(onGpu),
    ...readingsOf([node, tensor].find((one) => one?.inputReadings !== undefined)),
    atLeast('TIES at (0.2, 1.0) without a GPU, million parameters/s', 45, bestRate(cpu, '(0.2, 1)')),
    atLeast('TIES at (0.2, 0.2) without a GPU, million parameters/s', 30, bestRate(cpu, '(0.2, 0.2)')),
    ...memoryBars(runs.filter(({ what }) => what === 'merge')),
    ...flatBars(soak),
    completes(runs),
    ...spreadBars(scalingOf(runs)),
  ];
}

/**
 * `{backend, cache, ratios: {family: merge / copy}, ranges: {family: [least, most]}, spread}`: of medians, and of the pairs of a copy
 * and the merge after it. Cold and too large for the cache are one kind.
 */
export function scalingOf(runs) {
  const groups = new Map();
  for (const run of runs) {
    const cache = run.cache === 'warm' ? 'warm' : 'cold';
    const key = `${run.choice} ${cache}`;
    const group = groups.get(key) ?? { backend: run.backend, cache, families: new Map() };
    const seconds = group.families.get(run.family) ?? { copy: [], merge: [] };
    seconds[run.what].push(run.seconds);
    group.families.set(run.family, seconds);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ backend, cache, families }) => {
    const bySize = Object.keys(FAMILIES).flatMap((family) => (families.has(family) ? [[family, families.get(family)]] : []));
    const measured = bySize.filter(([, { copy, merge }]) => copy.length > 0 && merge.length > 0);
    const ratios = Object.fromEntries(measured.map(([family, { copy, merge }]) => [family, median(merge) / median(copy)]));
    const pairs = ({ copy, merge }) => merge.slice(0, copy.length).map((seconds, i) => seconds / copy[i]);
    const ranges = Object.fromEntries(measured.map(([family, own]) => [family, [Math.min(...pairs(own)), Math.max(...pairs(own))]]));
    const all = Object.values(ratios);
    return { backend, cache, ratios, ranges, spread: all.length < 2 ? null : Math.max(...all) / Math.min(...all) - 1 };
  });
}

const unmeasured = (bar, why) => ({ bar, measured: '', verdict: `not measured: ${why}` });
const judged = (bar, measured, passes) => ({ bar, measured, verdict: passes ? 'pass' : 'miss' });
const percent = (share) => `${(100 * share).toFixed(0)} %`;
const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

function atLeast(bar, limit, value) {
  const title = `${bar}: ${limit} or more`;
  return value === null ? unmeasured(title, 'part cpu') : judged(title, value.toFixed(1), value >= limit);
}

/** Million parameters a second of the fastest row of a whole merge at these densities. */
function bestRate(part, densities) {
  const rates = (part?.rows ?? []).filter(({ name }) => name.includes(`whole merge at ${densities}`)).map(({ seconds }) => part.elements / 1e6 / median(seconds));
  return rates.length === 0 ? null : Math.max(...rates);
}

const runsOf = (measured) => Object.values(measured).flatMap((one) => one.runs.map((run) => ({ ...run, gpu: one.gpu === true })));

function ratioOnGpu(where, runs) {
  const bar = `merge from files to files on a GPU, ${where}: at most 1.15 x the raw copy`;
  const ratios = scalingOf(runs.filter(({ gpu, choice }) => gpu && choice === 'webgpu')).flatMap(({ ratios: own }) => Object.values(own));
  return ratios.length === 0 ? unmeasured(bar, NO_GPU) : judged(bar, Math.max(...ratios).toFixed(2), Math.max(...ratios) <= 1.15);
}

function passesOnGpu(part) {
  const bar = 'each selection and merge pass on a GPU: 60 % or more of the bandwidth of a device copy';
  if (part === undefined) return [unmeasured(bar, NO_GPU)];
  const bandwidth = ({ bytes, seconds }) => bytes / median(seconds);
  // The first is that of the tensor; what goes over less is held against a copy of as much.
  const copyFor = ({ against }) => part.rows.find(({ name }) => (against === undefined ? name.startsWith('pass copy') : name === against));
  const passes = part.rows.filter(({ name, bytes }) => name.startsWith('pass ') && !name.startsWith('pass copy') && bytes > 0);
  return passes.map((pass) => {
    const copy = bandwidth(copyFor(pass));
    return judged(`${pass.name} on a GPU: 60 % or more of a device copy`, percent(bandwidth(pass) / copy), bandwidth(pass) >= 0.6 * copy);
  });
}

/** Counted on any adapter: bytes moved do not depend on how fast it is. */
function readingsOf(part) {
  const bar = 'whole TIES at (0.2, 1.0) on the device: every input read at most twice';
  return [part === undefined ? unmeasured(bar, 'bytes moved are not counted') : judged(bar, `${part.inputReadings.toFixed(2)} readings`, part.inputReadings <= 2)];
}

/** Each backend by itself: a GPU process and worker threads hold different things. */
function memoryBars(merges) {
  const choices = [...new Set(merges.map(({ choice }) => choice))];
  if (choices.length === 0) return memoryBarsOf('', []);
  return choices.flatMap((choice) => {
    const own = merges.filter((run) => run.choice === choice);
    return memoryBarsOf(`, ${own[0].backend}`, own);
  });
}

function memoryBarsOf(backend, merges) {
  const small = `memory of a 7B shape${backend}: under 1500 MB`;
  const flat = `memory of a 7B shape${backend}: within 10 % of that of a 1.1B at an equal budget`;
  const peakOf = (family) => {
    const own = merges.filter((run) => run.family === family && run.residentBytes !== null);
    return own.length === 0 ? null : { bytes: Math.max(...own.map(({ residentBytes }) => residentBytes)), planned: own[0].plannedPeakBytes };
  };
  const [large, medium] = [peakOf('7b'), peakOf('1.1b')];
  if (large === null) return [unmeasured(small, 'family 7b'), unmeasured(flat, 'family 7b')];
  const first = judged(small, `${mebibytes(large.bytes)} resident`, large.bytes < MEMORY_LIMIT);
  if (medium === null) return [first, unmeasured(flat, 'family 1.1b')];
  if (large.planned !== medium.planned) return [first, unmeasured(flat, `the plans are ${mebibytes(medium.planned)} and ${mebibytes(large.planned)}`)];
  const growth = large.bytes / medium.bytes - 1;
  return [first, judged(flat, `${mebibytes(medium.bytes)} and ${mebibytes(large.bytes)}: ${growth < 0 ? '' : '+'}${percent(growth)}`, growth <= 0.1)];
}

function flatBars(soak) {
  const kinds = [['the typical of each merge', 'residentBytes'], ['the peak of each merge', 'peakBytes']];
  return kinds.map(([what, key]) => {
    const bar = `memory over an hour of merges, ${what}: surely grows by no more than 10 %`;
    if (soak === undefined) return unmeasured(bar, 'part soak-merge');
    if (soak.minutes < HOUR_MINUTES) return unmeasured(bar, `${soak.minutes.toFixed(1)} minutes`);
    const { low, slope, high, median: held } = growthOf(soak.points, key);
    if (high === null) return unmeasured(bar, 'too few merges');
    const [least, line, most] = [low, slope, high].map((bytes) => Math.round(bytes / 2 ** 20));
    return judged(bar, `${line} MiB an hour (95 %: ${least} to ${most}) of ${mebibytes(held)}: at most ${percent(high / held)}`, high <= GROWTH_LIMIT * held);
  });
}

function completes(runs) {
  const bar = 'a 7B-shaped merge completes, every tensor verified';
  const merges = runs.filter(({ family, what }) => family === '7b' && what === 'merge');
  if (merges.length === 0) return unmeasured(bar, 'family 7b');
  const [{ verified, tensors, verifiedSeconds }] = merges;
  return judged(bar, `${verified} of ${tensors} tensors in ${verifiedSeconds.toFixed(0)} s`, merges.every((run) => run.verified === run.tensors));
}

function spreadBars(scaling) {
  if (scaling.length === 0) return [unmeasured('merge / copy within 15 % over sizes', 'part files')];
  return scaling.map(({ backend, cache, ratios, spread }) => {
    const bar = `merge / copy within 15 % over sizes, ${backend}, ${cache}`;
    const measured = Object.entries(ratios).map(([family, ratio]) => `${family} ${ratio.toFixed(2)}`).join(', ');
    return spread === null ? unmeasured(bar, `only one size (${measured})`) : judged(bar, `${measured}: ${percent(spread)}`, spread <= 0.15);
  });
}

/** The section of bench/RESULTS.md. */
export function barsText(results) {
  return [
    '## Bars',
    '',
    'What a fast merge of any size has to reach, and what the parts below measured. MergeKit merges a 4096 x 4096 tensor at 8.7 million',
    'parameters/s with one thread and 11.5 with two on a machine of two cores (figures of another machine, not measured in this run).',
    '',
    '| bar | measured | |',
    '|---|---|---|',
    ...barsOf(results).map(({ bar, measured, verdict }) => `| ${bar} | ${measured} | ${verdict} |`),
    '',
  ];
}
