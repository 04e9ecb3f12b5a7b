/** Rule: issue 6.6 - dependencies are few, pinned and audited. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXITS, judge } from '../../scripts/audit.mjs';
import { lastLine, STAGES } from '../../scripts/stages.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const manifest = JSON.parse(read('package.json')) as { dependencies: Record<string, string>; devDependencies: Record<string, string>; optionalDependencies: Record<string, string> };
interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  /** Of what the command line uses where it can be had. */
  readonly optional?: boolean;
}
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

describe('dependencies', () => {
  it('are pinned to one version each, the one that is locked', () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });
  it('are locked by their content, and by no address', () => {
    expect(locked.length).toBeGreaterThan(0);
    for (const [path, { integrity, resolved, link }] of locked) {
      expect(integrity, path).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
      expect(resolved ?? link, path).toBe(undefined);
    }
  });
  it('the page ships run no script when they are installed', () => {
    const shipped = locked.filter(([, { dev, devOptional, optional }]) => !dev && !devOptional && !optional);
    expect(shipped.length).toBeGreaterThanOrEqual(Object.keys(manifest.dependencies).length);
    expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });
  it('have their reason in CONTRIBUTING, and nothing has that is none', () => {
    const rows = (heading: string) => {
      const [, table = ''] = read('CONTRIBUTING.md').split(`| ${heading} | for |\n|---|---|\n`);
      return table.split('\n\n')[0]!.split('\n').flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
    };
    expect(rows('shipped').sort()).toEqual(Object.keys(manifest.dependencies).sort());
    expect(rows('optional').sort()).toEqual(Object.keys(manifest.optionalDependencies).sort());
    expect(rows('builds and tests').sort()).toEqual(Object.keys(manifest.devDependencies).sort());
  });
});

describe('the audit', () => {
  const found = (severity: string, name = 'yaml') => ({ vulnerabilities: { [name]: { name, severity, via: ['other', { title: 'a hang' }] } } });
  const none = { vulnerabilities: {} };
  it.each(['high', 'critical'])('fails for a %s vulnerability of what is shipped, and names it', (severity) => {
    const { outcome, lines } = judge(found(severity), found(severity));
    expect([outcome, lines[0]]).toEqual(['failed', 'AUDIT FAILED: the page ships 1 of the locked packages with a high or critical vulnerability.']);
    expect(lines).toContain(`  ${severity}: yaml, a hang`);
  });
  it('tells lesser ones, and those of tools, without failing', () => {
    expect(judge(found('moderate'), found('moderate'))).toMatchObject({ outcome: 'passed' });
    const tools = judge(none, found('critical', 'vite'));
    expect(tools.outcome).toBe('passed');
    expect(tools.lines).toEqual(['Audit passed: no high or critical vulnerability is known of what the page ships.', 'Known vulnerabilities of what the page ships: none.', 'Of what only builds and tests it: 1.', '  critical: vite, a hang']);
  });
  it('is neither passed nor failed where the registry cannot be asked, for either question', () => {
    for (const answer of [null, {}, { message: '405 Method Not Allowed' }, { error: { summary: 'ENOTFOUND' } }]) {
      for (const { outcome, lines } of [judge(answer, none), judge(none, answer)]) {
        expect([outcome, lines]).toEqual(['not made', [expect.stringMatching(/^AUDIT NOT MADE: the registry .*\. Nothing is known about vulnerabilities of the locked packages\.$/)]]);
      }
    }
  });
  it('has an exit code of its own for each outcome, and is a stage of the CI that counts no check where it was not made', async () => {
    expect(new Set(Object.values(EXITS)).size).toBe(3);
    expect(EXITS.passed).toBe(0);
    expect(read('.ci/run')).toMatch(/npm test -- .*\baudit\b/);
    const { run, title } = STAGES.find(({ name }) => name === 'audit')!;
    const folder = mkdtempSync(join(tmpdir(), 'studio-audit-'));
    const output = openSync(join(folder, 'output'), 'w');
    // Nobody listens there.
    const result = await run({ env: { npm_config_registry: 'http://127.0.0.1:9/' }, output });
    closeSync(output);
    expect(readFileSync(join(folder, 'output'), 'utf8')).toContain('AUDIT NOT MADE: ');
    rmSync(folder, { recursive: true });
    expect(result).toMatchObject({ passed: 0, failed: 0, note: 'NOT MADE: the registry gave no answer' });
    expect(lastLine([{ title: 'Unit', passed: 5, failed: 0 }, { ...result, title }], 3.2, 2)).toBe('5 passed, 0 failed in 3 s, 2 at a time; NOT CHECKED: Audit of dependencies');
    expect(lastLine([{ title: 'Unit', passed: 5, failed: 1 }], 3.2, 2)).toBe('5 passed, 1 failed in 3 s, 2 at a time');
  });
});
