/**
 * `npm run soak [-- --merges N] [--round N] [--webgpu N] [--warm-up N] [--seed S]`: N merges of the sample family in one tab (default
 * 200), in rounds of the same composition: random recipes, on the CPU and on WebGPU, cancels, and the GPU process killed once a round. Every
 * export is read again and merged again by independent code. Ends with 1 where one is wrong, or where the tab keeps, or has
 * resident, more than 5 % more after the last round than after the warm-up. Writes docs/soak.md.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureChromium } from './install-chromium.mjs';
import { build, ensureInstalled, isBuildStale, ROOT, tool } from './project.mjs';

const { values } = parseArgs({
  options: { merges: { type: 'string', default: '200' }, round: { type: 'string', default: '20' }, webgpu: { type: 'string', default: '3' }, 'warm-up': { type: 'string', default: '2' }, seed: { type: 'string' } },
});
const whole = (name, least) => {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < least) throw new Error(`--${name} takes a whole number from ${least}`);
  return number;
};
const [merges, round, webgpu, warmUp] = [whole('merges', 1), whole('round', 1), whole('webgpu', 0), whole('warm-up', 0)];
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const ALLOWED = 0.05;

await ensureInstalled();
const env = await ensureChromium();
if (isBuildStale() && (await build()) !== 0) process.exit(1);
const report = join(ROOT, 'test-results', 'soak.jsonl');
mkdirSync(join(ROOT, 'test-results'), { recursive: true });
rmSync(report, { force: true });
console.log(`${merges} merges, seed ${seed}.`);
const began = Date.now();
const code = await tool('@playwright/test', ['test', '--config', 'e2e/soak/playwright.config.ts'], {
  env: { ...env, SOAK_MERGES: String(merges), SOAK_ROUND: String(round), SOAK_WEBGPU: String(webgpu), SOAK_SEED: seed, SOAK_REPORT: report },
});
const minutes = (Date.now() - began) / 60_000;
const lines = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : [];
const done = lines.filter(({ kind }) => kind === 'merge');
const footprints = lines.filter(({ kind }) => kind === 'footprint');
if (code !== 0) {
  console.error(`Stopped after ${done.length} merges; what went wrong stands above, its recipe in ${report}.`);
  process.exit(1);
}

const keptOf = ({ page, worker }) => page + worker;
const residentOf = ({ renderer, gpuProcess }) => renderer + gpuProcess;
const [start, end] = [footprints[Math.min(warmUp, footprints.length) - 1] ?? footprints[0], footprints.at(-1)];
const grown = (of) => of(end) / of(start) - 1;
const percent = (part) => `${part < 0 ? '−' : '+'}${(100 * Math.abs(part)).toFixed(1)} %`;
const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
const count = (keep) => done.filter(keep).length;
const methods = [...new Set(done.map(({ method }) => method))].sort().map((method) => `${method} ${count((one) => one.method === method)}`);
const compared = done.reduce((sum, one) => sum + one.values, 0);
const text = [
  '# Soak',
  '',
  'Written by `npm run soak`; do not edit. One tab, the sample family (1.6 million parameters, five checkpoints), one merge after the',
  `other: rounds of ${round} merges of random recipes, of which ${webgpu} on WebGPU (a software adapter), the GPU process killed in the last of these, and`,
  'two begun, cancelled and begun again, and the last always the same merge, after which memory is read. Every export is read again from private storage: its hash, its structure, and its values,',
  `merged again by code that shares no line with the studio's (\`e2e/soak/checks.ts\`; of ${[...new Set(done.filter(({ values }) => values === 0).map(({ method }) => method))].sort().join(', ')} the structure alone).`,
  '',
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown processor'}, seed ${seed}: **${done.length} merges in ${minutes.toFixed(0)} minutes, every export right**;`,
  `${count(({ cancelled }) => cancelled)} cancelled before, ${count(({ lost }) => lost)} through a lost device, ${count(({ scope }) => scope === 'model')} ranked over the whole model, ${count(({ preset }) => preset !== null)} by a preset; ${compared.toLocaleString('en')} values`,
  `compared. Methods: ${methods.join(', ')}.`,
  '',
  'What the tab holds at the end of a round, on the CPU backend, report and checkpoints closed, garbage collected twice; MiB. *Kept* are',
  'objects, arrays, closures, strings, buffers and elements of the page (`e2e/soak/memory.ts`); *heaps* are those with compiled code and what the',
  'browser and the inspector behind the test note down: timings, requests, the files of every opening. *Resident* is what the renderer, with the threads',
  `that merge, and the GPU process have. The first ${warmUp === 1 ? 'round is' : `${warmUp} rounds are`} the warm-up: code is compiled and caches fill. From there to the end:`,
  `kept ${percent(grown(keptOf))}, resident ${percent(grown(residentOf))}; heaps with code ${percent(grown(({ heaps }) => heaps))}.`,
  '',
  '| merges | kept by the page | by its worker | heaps | renderer resident | GPU process resident |',
  '|---:|---:|---:|---:|---:|---:|',
  ...footprints.map((one) => `| ${one.merges} | ${mebibytes(one.page)} | ${mebibytes(one.worker)} | ${mebibytes(one.heaps)} | ${mebibytes(one.renderer)} | ${mebibytes(one.gpuProcess)} |`),
];
writeFileSync(join(ROOT, 'docs', 'soak.md'), `${text.join('\n')}\n`);
const leaks = grown(keptOf) > ALLOWED || grown(residentOf) > ALLOWED;
console.log(`${done.length} merges, every export right; kept ${percent(grown(keptOf))}, resident ${percent(grown(residentOf))}. docs/soak.md has the figures.`);
if (leaks) console.error(`That is more than ${100 * ALLOWED} % above what the warm-up left.`);
process.exitCode = leaks ? 1 : 0;
