/**
 * `npm run fuzz [-- --runs N] [--seed S]`: every reader of hostile bytes against N damaged files each (default 20,000), from a
 * new seed unless one is given. Ends with 1 where a reader misbehaved, with the bytes and the seed. Writes docs/fuzz.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, ROOT } from './project.mjs';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string' } } });
const runs = Number(values.runs);
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(runs) || runs < 100) throw new Error('--runs takes a whole number from 100');

await ensureInstalled();
const folder = mkdtempSync(join(tmpdir(), 'studio-fuzz-'));
const report = join(folder, 'report.jsonl');
console.log(`${runs.toLocaleString('en')} inputs for every reader, seed ${seed}.`);
const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'unit', 'tests/unit/fuzz.test.ts'], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: String(runs), FUZZ_REPORT: report, FAST_CHECK_SEED: seed },
});
if (status !== 0) process.exit(1);

const rows = readFileSync(report, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
rmSync(folder, { recursive: true });
const total = rows.reduce((sum, { inputs }) => sum + inputs, 0);
const count = (number) => number.toLocaleString('en');
const lines = [
  '# Fuzzing',
  '',
  'Written by `npm run fuzz`; do not edit. Files that are right are damaged by up to eight edits (bytes set, flipped, removed,',
  'repeated up to 200 times, tokens put in, cut short, pieces of other files put in) and given to everything that reads hostile',
  'bytes. Whatever the bytes: taken within the rules of the format, or refused by a typed error that names the place; no read',
  'outside the file, no more bytes asked for than eight times the file and 1 MB, nothing opened that was not dropped.',
  '`tests/fuzz` says what holds for which reader; `npm test` runs the same with fewer inputs beside the structured properties.',
  '',
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, seed ${seed}: **${count(total)} inputs, none misread.**`,
  '',
  '| reader | inputs | taken | refused | slowest, ms |',
  '|---|---:|---:|---:|---:|',
  ...rows.map(({ name, inputs, taken, slowest }) => `| ${name} | ${count(inputs)} | ${count(taken)} | ${count(inputs - taken)} | ${slowest.toFixed(0)} |`),
];
writeFileSync(join(ROOT, 'docs', 'fuzz.md'), `${lines.join('\n')}\n`);
console.log(`${count(total)} inputs, none misread; docs/fuzz.md has the totals.`);
