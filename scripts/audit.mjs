/**
 * `node scripts/audit.mjs`: known vulnerabilities of the locked packages, from npm's registry. Ends with 1 where a package that the
 * page ships has one that is high or critical. What only builds and tests is told and does not fail; neither does a registry that
 * cannot be asked, which is said in so many words.
 */
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { ROOT } from './project.mjs';

const FAILING = ['high', 'critical'];
/** A registry that takes longer is as good as none. */
const LIMIT_MS = 30_000;

/** What `npm audit --json` printed, as lines for people and whether to fail. `null`: it printed no report in time. */
export function judge(shipped, all) {
  const reasons = [shipped, all].map(refusalOf);
  const refusal = reasons.find((reason) => reason !== null);
  if (refusal !== undefined) return { failed: false, lines: [`Audit not made: ${refusal}. Nothing is known about vulnerabilities of the locked packages.`] };
  const own = findings(shipped);
  const tools = findings(all).filter(({ name }) => own.every((finding) => finding.name !== name));
  const grave = own.filter(({ severity }) => FAILING.includes(severity));
  const told = (list) => list.map(({ name, severity, title }) => `  ${severity}: ${name}${title === '' ? '' : `, ${title}`}`);
  const count = (list) => (list.length === 0 ? 'none' : String(list.length));
  return {
    failed: grave.length > 0,
    lines: [`Audit: known vulnerabilities of what the page ships: ${count(own)}.`, ...told(own), `Of what only builds and tests it: ${count(tools)}.`, ...told(tools)],
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
  const { failed, lines } = judge(shipped, all);
  console.log(lines.join('\n'));
  process.exitCode = failed ? 1 : 0;
}
