/** Rule: issue 6.6 - dependencies are few, pinned and audited. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge } from '../../scripts/audit.mjs';

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
    const { failed, lines } = judge(found(severity), found(severity));
    expect(failed).toBe(true);
    expect(lines).toContain(`  ${severity}: yaml, a hang`);
  });
  it('tells lesser ones, and those of tools, without failing', () => {
    expect(judge(found('moderate'), found('moderate'))).toMatchObject({ failed: false });
    const tools = judge(none, found('critical', 'vite'));
    expect(tools.failed).toBe(false);
    expect(tools.lines).toEqual(['Audit: known vulnerabilities of what the page ships: none.', 'Of what only builds and tests it: 1.', '  critical: vite, a hang']);
  });
  it('says that nothing is known where the registry cannot be asked', () => {
    for (const answer of [null, { message: '405 Method Not Allowed' }]) {
      const { failed, lines } = judge(answer, none);
      expect(failed).toBe(false);
      expect(lines.join()).toContain('Audit not made');
    }
  });
});
