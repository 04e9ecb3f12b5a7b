/** The stages of `npm test`: what each runs, and how many checks that was. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EXITS } from './audit.mjs';
import { build, ROOT, run, tool } from './project.mjs';

const REPORTS = join(ROOT, '.cache', 'test-reports');
/** A stage that hangs must end the run, not the patience of whoever waits for it. */
const STAGE_LIMIT_MS = 30 * 60_000;

/** Empties the folder of reports. */
export function clearReports() {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
}

/** Where a stage's output is kept until it is shown whole. */
export const outputFile = (name) => join(REPORTS, `${name}.log`);

const vitest = (project) => async (options) => {
  const report = join(REPORTS, `${project}.json`);
  const code = await tool(
    'vitest',
    // No cache: two runs at a time would write one file of results.
    ['run', '--project', project, '--no-cache', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    { ...options, limitMs: STAGE_LIMIT_MS },
  );
  return counted(code, report, ({ numPassedTests, numFailedTests, numPendingTests, numTodoTests }) => ({
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: numPendingTests + numTodoTests,
  }));
};

const playwright = async (options) => {
  const report = join(REPORTS, 'e2e.json');
  const code = await tool('@playwright/test', ['test', '--reporter=list,json'], {
    ...options,
    env: { ...options.env, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
    limitMs: STAGE_LIMIT_MS,
  });
  return counted(code, report, ({ stats }) => ({
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky,
    skipped: stats.skipped,
  }));
};

/** A command that is one check: its exit code is the result. */
const check = (command) => async (options) => {
  const code = await command({ ...options, limitMs: STAGE_LIMIT_MS });
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
};

/** The page, and the command line, which two stages would bundle at the same time. */
const buildBoth = async (options) => (await build(options)) || run(process.execPath, [join('scripts', 'cli.mjs'), '--help'], options);

/** What a machine without Python or its packages cannot check is no failure, and no success. */
const interop = async (options) => {
  const report = join(REPORTS, 'interop.md');
  const code = await run(process.execPath, [join('scripts', 'interop.mjs'), '--quick', '--install-limit', '60', '--report', report], { ...options, limitMs: STAGE_LIMIT_MS });
  if (code === 0 && !existsSync(report)) return { passed: 0, failed: 0, skipped: 0, note: 'not checked: see its output' };
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
};

/** A registry that cannot be asked is no failure, and no success. */
const audit = async (options) => {
  const code = await run(process.execPath, [join('scripts', 'audit.mjs')], { ...options, limitMs: STAGE_LIMIT_MS });
  if (code === EXITS['not made']) return { passed: 0, failed: 0, skipped: 0, note: 'NOT MADE: the registry gave no answer' };
  return { passed: code === EXITS.passed ? 1 : 0, failed: code === EXITS.passed ? 0 : 1, skipped: 0 };
};

export const STAGES = [
  { name: 'types', title: 'Types', run: check((options) => tool('typescript', ['--noEmit', '-p', '.'], options)) },
  { name: 'lint', title: 'Lint', run: check((options) => tool('eslint', ['.', '--max-warnings=0'], options)) },
  {
    name: 'imports',
    title: 'Import directions',
    run: check((options) => tool('dependency-cruiser', ['--config', '.dependency-cruiser.cjs', 'src', 'e2e'], options)),
  },
  { name: 'unit', title: 'Unit', run: vitest('unit') },
  { name: 'cpu', title: 'Conformance, CPU reference', run: vitest('conformance-cpu') },
  { name: 'webgpu', title: 'Conformance and browser, WebGPU', run: vitest('browser'), browser: true },
  { name: 'build', title: 'Build', run: check(buildBoth) },
  { name: 'e2e', title: 'End to end', run: playwright, browser: true, needs: 'build' },
  { name: 'interop', title: 'Python libraries on exports', run: interop, needs: 'build', extra: true },
  { name: 'audit', title: 'Audit of dependencies', run: audit, extra: true },
];

/** The longest first, so that none is left to run alone at the end; what tells of a slip soonest in between. */
const STARTS = ['build', 'webgpu', 'interop', 'types', 'e2e', 'unit', 'lint', 'cpu', 'imports', 'audit'];
export const byStart = (a, b) => STARTS.indexOf(a.name) - STARTS.indexOf(b.name);

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

/** What a run of stages comes to. Nobody is to take one for a run in which everything was looked at when something was not. */
export function lastLine(rows, seconds, lanes) {
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const unchecked = rows.filter(({ passed, failed }) => passed + failed === 0).map(({ title }) => title);
  return `${sum('passed')} passed, ${sum('failed')} failed in ${Math.round(seconds)} s, ${lanes} at a time${unchecked.length > 0 ? `; NOT CHECKED: ${unchecked.join(', ')}` : ''}`;
}
