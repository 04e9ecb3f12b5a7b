/** Rule: a promise names the tests that hold it, and they are there (SECURITY.md, docs/bad-input.md, docs/faults.md). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

/** Where the tests of a name such as `e2e/files`, `browser/engine/self-test` or `format/header` are. */
function fileOf(name: string): string | undefined {
  const [place, ...rest] = name.split('/');
  const candidates = [`e2e/${rest.join('/')}.spec.ts`, `tests/${name}.test.ts`, `tests/${name}.ts`, `tests/unit/${name}.test.ts`, `tests/unit/${name}.ts`];
  return candidates.slice(place === 'e2e' ? 0 : 1, place === 'e2e' ? 1 : undefined).find((path) => existsSync(join(ROOT, path)));
}

/** `name` or `name` "title" in the last cell of every row of the first table; names without a slash are data, not tests. */
function testsOf(document: string): { readonly name: string; readonly title: string | undefined }[] {
  const rows = document.split('\n').filter((line) => line.startsWith('| ') && !/^\| ?[#-]/.test(line));
  return rows.flatMap((row) => [...row.split(' | ').at(-1)!.matchAll(/`([a-z0-9]+\/[a-z0-9/-]+)`(?: "([^"]+)")?/g)].map(([, name, title]) => ({ name: name!, title })));
}

describe.each(['SECURITY.md', 'docs/bad-input.md', 'docs/faults.md'])('%s', (document) => {
  const named = testsOf(read(document));
  it('names tests', () => expect(named.length).toBeGreaterThan(10));
  it.each(named)('$name "$title" is there', ({ name, title }) => {
    const file = fileOf(name);
    expect(file, name).toBeDefined();
    if (title !== undefined) expect(read(file!)).toContain(title);
  });
});

it('the table of bad input has every row, 1 to 20', () => {
  const rows = read('docs/bad-input.md').split('\n').flatMap((line) => (/^\| (\d+) \|/.exec(line) ? [Number(/\d+/.exec(line)![0])] : []));
  expect(rows).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

it('the table of faults has every row, 21 to 48', () => {
  const rows = read('docs/faults.md').split('\n').flatMap((line) => (/^\| (\d+) \|/.exec(line) ? [Number(/\d+/.exec(line)![0])] : []));
  expect([...new Set(rows)].sort((a, b) => a - b)).toEqual(Array.from({ length: 28 }, (_, i) => 21 + i));
});

it('what the documents link to is there', () => {
  for (const [document, folder] of [['SECURITY.md', ''], ['docs/bad-input.md', 'docs'], ['docs/faults.md', 'docs'], ['docs/hosting.md', 'docs']] as const) {
    for (const [, target] of read(document).matchAll(/\]\(([^)#]+)\)/g)) expect(existsSync(join(ROOT, folder, target!)), `${document}: ${target}`).toBe(true);
  }
});
