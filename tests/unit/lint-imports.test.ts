import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import { afterEach, expect, it } from 'vitest';

const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as IFlattenedRuleSet;

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** Names of the rules that a tree of files breaks; module texts by path. */
async function rulesBroken(files: Record<string, string>): Promise<Set<string>> {
  const root = await mkdtemp(join(tmpdir(), 'imports-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const { output } = await cruise(['src'], {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: forbidden ?? [] },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  });
  return new Set((output as ICruiseResult).summary.violations.map((violation) => violation.rule.name));
}

/** `from` importing `to`, by path without extension. */
function importing(from: string, to: string, kind: 'import' | 'import type' = 'import'): Record<string, string> {
  const up = '../'.repeat(from.split('/').length - 1);
  return {
    [`src/${from}.ts`]: `${kind} { a } from '${up}${to}';\nexport const b: ${kind === 'import' ? 'unknown = a' : 'a | null = null'};\n`,
    [`src/${to}.ts`]: `export const a = 1;\nexport type a = number;\n`,
  };
}

const REFUSED: readonly [from: string, to: string, rule: string][] = [
  ['bytes/x', 'format/safetensors/y', 'bytes-imports'],
  ['format/safetensors/x', 'checkpoint/y', 'format-imports'],
  ['checkpoint/x', 'merge/y', 'checkpoint-imports'],
  ['recipe/x', 'checkpoint/y', 'recipe-imports'],
  ['merge/x', 'reference/y', 'merge-imports'],
  ['merge/x', 'files/y', 'merge-imports'],
  ['reference/x', 'engine/y', 'reference-imports'],
  ['engine/x', 'reference/y', 'engine-imports'],
  ['engine/x', 'checkpoint/y', 'engine-imports'],
  ['analysis/x', 'merge/run', 'analysis-imports'],
  ['export/x', 'analysis/y', 'export-imports'],
  ['files/x', 'merge/y', 'files-imports'],
  ['worker/client', 'worker/dispatch', 'worker/client-imports'],
  ['worker/client', 'merge/run', 'worker/client-imports'],
  ['worker/dispatch', 'state/y', 'worker-imports'],
  ['cli/x', 'ui/y', 'cli-imports'],
  ['state/x', 'ui/y', 'state-imports'],
  ['state/x', 'engine/y', 'state-imports'],
  ['ui/x', 'engine/y', 'ui-imports'],
  ['ui/x', 'worker/client', 'ui-imports'],
  ['ui/x', 'files/pick', 'ui-imports'],
  ['ui/x', 'worker/protocol', 'ui-imports-types-only'],
  ['ui/charts/x', 'merge/figures', 'ui-imports-types-only'],
];

it.each(REFUSED)('src/%s may not import src/%s', async (from, to, rule) => {
  expect(await rulesBroken(importing(from, to))).toContain(rule);
});

const ACCEPTED: readonly [from: string, to: string, kind: 'import' | 'import type'][] = [
  ['format/safetensors/x', 'bytes/y', 'import'],
  ['merge/x', 'checkpoint/y', 'import'],
  ['engine/passes/x', 'merge/backend', 'import'],
  ['analysis/x', 'merge/figures', 'import'],
  ['worker/dispatch', 'engine/y', 'import'],
  ['state/x', 'worker/client', 'import'],
  ['state/x', 'recipe/y', 'import'],
  ['ui/charts/x', 'checkpoint/places', 'import'],
  ['ui/x', 'worker/protocol', 'import type'],
  ['ui/x', 'merge/figures', 'import type'],
];

it.each(ACCEPTED)('src/%s may import src/%s (%3$s)', async (from, to, kind) => {
  const directionRules = [...(await rulesBroken(importing(from, to, kind)))].filter((rule) => rule.includes('imports'));
  expect(directionRules).toEqual([]);
});

it('refuses a cycle, also one of types only', async () => {
  const cycle = {
    'src/bytes/x.ts': "import type { Y } from './y';\nexport type X = Y[];\n",
    'src/bytes/y.ts': "import type { X } from './x';\nexport type Y = X | number;\n",
  };
  expect(await rulesBroken(cycle)).toContain('no-cycles');
});

it('refuses a module that nothing imports', async () => {
  expect(await rulesBroken({ 'src/bytes/alone.ts': 'export const a = 1;\n' })).toContain('no-orphans');
});

it('refuses what neither the page nor the worker nor the command line reaches', async () => {
  const entries = {
    'src/main.tsx': "import './ui/app';\n",
    'src/ui/app.ts': 'export const app = 1;\n',
    'src/worker/main.ts': "import '../bytes/x';\n",
    'src/bytes/x.ts': 'export const x = 1;\n',
  };
  expect(await rulesBroken(entries)).toEqual(new Set());
  const withDead = { ...entries, 'src/recipe/dead.ts': "import '../bytes/x';\n" };
  expect(await rulesBroken(withDead)).toEqual(new Set(['nothing-unreachable']));
});

it('refuses React outside src/ui and recharts outside src/ui/charts', async () => {
  const packages = {
    'node_modules/react/index.js': 'module.exports = {};\n',
    'node_modules/react/package.json': '{"name":"react","version":"1.0.0","main":"index.js"}',
    'node_modules/recharts/index.js': 'module.exports = {};\n',
    'node_modules/recharts/package.json': '{"name":"recharts","version":"1.0.0","main":"index.js"}',
    'package.json': '{"dependencies":{"react":"1.0.0","recharts":"1.0.0"}}',
  };
  const using = (path: string, name: string) => ({ ...packages, [path]: `import p from '${name}';\nexport const a = p;\n` });
  expect(await rulesBroken(using('src/state/x.ts', 'react'))).toContain('react-in-ui-only');
  expect(await rulesBroken(using('src/ui/x.ts', 'recharts'))).toContain('recharts-in-charts-only');
  expect(await rulesBroken(using('src/ui/x.ts', 'react'))).not.toContain('react-in-ui-only');
  expect(await rulesBroken(using('src/ui/charts/x.ts', 'recharts'))).not.toContain('recharts-in-charts-only');
});
