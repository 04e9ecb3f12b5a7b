/**
 * `node scripts/audit.mjs`: known vulnerabilities of the locked packages, from npm's registry. Ends with 0 where the audit passed, 1
 * where a package that the page ships has a vulnerability that is high or critical, 3 where the registry gave no answer: that is no
 * pass. What only builds and tests is told and does not fail.
 */
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { ROOT } from './project.mjs';

/** Exit codes by outcome. */
export const EXITS = { passed: 0, failed: 1, 'not made': 3 };
const FAILING = ['high', 'critical'];
/** A registry that takes longer is as good as none. */
const LIMIT_MS = 30_000;

/** What `npm audit --json` printed, as an outcome and lines for people, the outcome in the first. `null`: it printed no report in time. */
export function judge(shipped, all) {
  const reasons = [shipped, all].map(refusalOf);
  const refusal = reasons.find((reason) => reason !== null);
  if (refusal !== undefined) return { outcome: 'not made', lines: [`AUDIT NOT MADE: ${refusal}. Nothing is known about vulnerabilities of the locked packages.`] };
  const own = findings(shipped);
  const tools = findings(all).filter(({ name }) => own.every((finding) => finding.name !== name));
  const grave = own.filter(({ severity }) => FAILING.includes(severity));
  const told = (list) => list.map(({ name, severity, title }) => `  ${severity}: ${name}${title === '' ? '' : `, ${title}`}`);
  const count = (list) => (list.length === 0 ? 'none' : String(list.length));
  const verdict = grave.length > 0 ? `AUDIT FAILED: the page ships ${grave.length} of the locked packages with a high or critical vulnerability.` : 'Audit passed: no high or critical vulnerability is known of what the page ships.';
  return {
    outcome: grave.length > 0 ? 'failed' : 'passed',
    lines: [verdict, `Known vulnerabilities of what the page ships: ${count(own)}.`, ...told(own), `Of what only builds and tests it: ${count(tools)}.`, ...told(tools)],
  };
}

function refusalOf(report) {
  if (report === null) return 'the registry did not answer';
  if (typeof report.vulnerabilities === 'object' && report.vulnerabilities !== null) return null;
  return `the registry answered ${JSON.stringify(report.message ?? report.error?.summary ?? 'nothing that is a report')}`;
}

function findings({ vulnerabilities }) {
  return Object.values(vulnerabilities).map(({ name, severity, via = [] }) => ({ name, severity, title: via.flatMap((cause) => (typeof cause === 'object' ? [cause.title] : []))[0] ?? '' }));
}

function audit(args) {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, timeout: LIMIT_MS, maxBuffer: 2 ** 26, shell: process.platform === 'win32' };
    // It ends with 1 where it found something; the report is on its output either way.
    execFile('npm', ['audit', '--json', '--fetch-retries=0', ...args], options, (_, output) => {
      try {
        resolve(JSON.parse(output));
      } catch {
        resolve(null);
      }
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [shipped, all] = await Promise.all([audit(['--omit=dev']), audit([])]);
  const { outcome, lines } = judge(shipped, all);
  console.log(lines.join('\n'));
  process.exitCode = EXITS[outcome];
}
