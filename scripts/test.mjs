import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium } from './install-chromium.mjs';
import { build, ensureInstalled, ROOT, tool } from './project.mjs';

const REPORTS = join(ROOT, '.cache', 'test-reports');
/** A stage that hangs must end the run, not the patience of whoever waits for it. */
const STAGE_LIMIT_MS = 30 * 60_000;

const vitest = (project) => async (env) => {
  const report = join(REPORTS, `${project}.json`);
  const code = await tool(
    'vitest',
    ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    { env, limitMs: STAGE_LIMIT_MS },
  );
  return counted(code, report, ({ numPassedTests, numFailedTests, numPendingTests, numTodoTests }) => ({
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: numPendingTests + numTodoTests,
  }));
};

const playwright = async (env) => {
  const report = join(REPORTS, 'e2e.json');
  const code = await tool('@playwright/test', ['test', '--reporter=list,json'], {
    env: { ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
    limitMs: STAGE_LIMIT_MS,
  });
  return counted(code, report, ({ stats }) => ({
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky,
    skipped: stats.skipped,
  }));
};

/** A command that is one check: its exit code is the result. */
const check = (command) => async (env) => {
  const code = await command(env);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
};

const STAGES = [
  { name: 'types', title: 'Types', run: check(() => tool('typescript', ['--noEmit', '-p', '.'])) },
  { name: 'lint', title: 'Lint', run: check(() => tool('eslint', ['.', '--max-warnings=0'])) },
  {
    name: 'imports',
    title: 'Import directions',
    run: check(() => tool('dependency-cruiser', ['--config', '.dependency-cruiser.cjs', 'src', 'e2e'])),
  },
  { name: 'unit', title: 'Unit', run: vitest('unit') },
  { name: 'cpu', title: 'Conformance, CPU reference', run: vitest('conformance-cpu') },
  { name: 'webgpu', title: 'Conformance and browser, WebGPU', run: vitest('browser'), browser: true },
  { name: 'build', title: 'Build', run: check(build) },
  { name: 'e2e', title: 'End to end', run: playwright, browser: true, needs: 'build' },
];

/**
 * Counts of one stage from its JSON report. A run that ended badly without a failed test (a file that does not load,
 * an unhandled rejection) counts one failure, and so does a stage that ran nothing; a skipped test is a failed one.
 */
function counted(code, report, read) {
  let counts;
  try {
    counts = read(JSON.parse(readFileSync(report, 'utf8')));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, note: `ended with code ${code} and no report` };
  }
  const { passed, skipped } = counts;
  const failed = counts.failed + skipped;
  if (passed + failed === 0) return { passed, failed: 1, skipped, note: 'ran no test' };
  if (failed === 0 && code !== 0) return { passed, failed: 1, skipped, note: `ended with code ${code}` };
  return { passed, failed, skipped, ...(skipped > 0 ? { note: `${skipped} skipped` } : {}) };
}

/** The stages that `--only a,b` names, with what they need in front; all of them without it. */
function chosenStages(args) {
  const named = args.flatMap((argument, i) => {
    if (argument === '--only') return (args[i + 1] ?? '').split(',');
    return argument.startsWith('--only=') ? argument.slice('--only='.length).split(',') : [];
  });
  const unknown = named.filter((name) => !STAGES.some((stage) => stage.name === name));
  const stray = args.filter((argument, i) => !argument.startsWith('--only') && args[i - 1] !== '--only');
  if (unknown.length > 0 || stray.length > 0) {
    console.error(`Unknown: ${[...unknown, ...stray].join(', ')}. Usage: npm test [-- --only NAME,NAME]`);
    console.error(`Stages: ${STAGES.map((stage) => stage.name).join(', ')}`);
    process.exit(2);
  }
  if (named.length === 0) return STAGES;
  const wanted = new Set(named);
  for (const stage of STAGES) if (wanted.has(stage.name) && stage.needs) wanted.add(stage.needs);
  return STAGES.filter((stage) => wanted.has(stage.name));
}

function printTable(rows) {
  const width = Math.max(...rows.map((row) => row.title.length));
  console.log(`\n${'Stage'.padEnd(width)}  ${'passed'.padStart(7)}  ${'failed'.padStart(7)}  ${'seconds'.padStart(8)}`);
  for (const { title, passed, failed, seconds, note } of rows) {
    const cells = [String(passed).padStart(7), String(failed).padStart(7), seconds.toFixed(1).padStart(8)];
    console.log(`${title.padEnd(width)}  ${cells.join('  ')}${note ? `  ${note}` : ''}`);
  }
}

const stages = chosenStages(process.argv.slice(2));
await ensureInstalled();
rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });

const env = {};
let browserProblem = null;
if (stages.some((stage) => stage.browser)) {
  try {
    env.CHROMIUM = await ensureChromium();
    console.log(`Browser: ${env.CHROMIUM}`);
  } catch (error) {
    browserProblem = error.message;
    console.error(browserProblem);
  }
}

const rows = [];
for (const { name, title, run, browser, needs } of stages) {
  console.log(`\n=== ${title}`);
  const began = performance.now();
  const needed = rows.find((row) => row.name === needs);
  const obstacle = browser && browserProblem ? 'no browser' : needed && needed.failed > 0 ? `${needs} failed` : null;
  const result = obstacle ? { passed: 0, failed: 1, note: `not run: ${obstacle}` } : await run(env);
  rows.push({ name, title, ...result, seconds: (performance.now() - began) / 1000 });
}

printTable(rows);
const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exit(sum('failed') === 0 ? 0 : 1);
