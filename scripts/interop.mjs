/**
 * `npm run interop`: checkpoints made by transformers, merged by the command line, opened again by transformers and
 * safetensors, every tensor compared with a merge done in NumPy. Needs Python 3 with pip and the packages below, which it
 * installs into an environment of its own; where those cannot be had it says so and ends well.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, ROOT } from './project.mjs';

const PACKAGES = ['numpy', 'peft', 'safetensors', 'tokenizers', 'torch', 'transformers'];
const CACHE = join(ROOT, '.cache', 'interop');
// Outside the checkout: a fresh clone need not install the packages again.
const VENV = process.env.INTEROP_VENV ?? join(process.env.XDG_CACHE_HOME ?? join(os.homedir(), '.cache'), 'model-merging-studio', 'interop');
const PYTHON = process.platform === 'win32' ? join(VENV, 'Scripts', 'python.exe') : join(VENV, 'bin', 'python');
const TESTS = join(ROOT, 'tests', 'interop');
/** Beyond these something hangs: a merge takes a second or two, the check of all folders half a minute. */
const MERGE_MS = 120_000;
const CHECK_MS = 600_000;
const { values: options } = parseArgs({
  options: {
    // Every architecture and every recipe once: for CI.
    quick: { type: 'boolean', default: false },
    report: { type: 'string', default: join(ROOT, 'docs', 'interop-report.md') },
    // Seconds that installing the packages may take.
    'install-limit': { type: 'string', default: '1800' },
  },
});

/** Ends without a failure: the machine lacks what the check needs. */
function skip(why) {
  console.log(`interop skipped: ${why}`);
  process.exit(0);
}

function python() {
  const works = (command) => spawnSync(command, ['-c', `import ${PACKAGES.join(', ')}`], { stdio: 'ignore' }).status === 0;
  if (existsSync(PYTHON) && works(PYTHON)) return PYTHON;
  const system = ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0);
  if (!system) skip('no Python 3 with pip was found');
  console.log(`Installing ${PACKAGES.join(', ')} into ${VENV}.`);
  if (spawnSync(system, ['-m', 'venv', VENV], { stdio: 'inherit' }).status !== 0) skip('python -m venv failed');
  const limit = Number(options['install-limit']);
  const pip = spawnSync(PYTHON, ['-m', 'pip', 'install', '--quiet', '--quiet', '--retries', '0', ...PACKAGES], { stdio: 'inherit', timeout: 1000 * limit });
  if (pip.error?.code === 'ETIMEDOUT') skip(`pip did not install ${PACKAGES.join(', ')} within ${limit} s`);
  if (pip.status !== 0 || !works(PYTHON)) skip('pip could not install the packages');
  return PYTHON;
}

/** The JSON lines of an output; the libraries print empty ones between. */
const records = (text) => text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));

/** Recipes that every family is merged with. */
const RECIPES = [
  { name: 'ties', method: 'ties', sft: [1, 0.2], ct: [1, 1] },
  { name: 'ties-weighted', method: 'ties', sft: [0.5, 0.4], ct: [1.5, 0.6], lambda: 0.8 },
  { name: 'ties-sv', method: 'ties_sv', sft: [1, 0.2], ct: [1, 1], slack: 0.04 },
  { name: 'task-arithmetic', method: 'task_arithmetic', sft: [0.7, 1], ct: [0.3, 1], lambda: 0.9 },
  { name: 'linear', method: 'linear', sft: [0.5, 1], ct: [0.5, 1] },
];

function yaml({ method, sft, ct, lambda = 1, slack }, extended) {
  const own = [
    ...(method === 'ties_sv' ? ['  method: ties_sv', `  slack: {s: ${slack}, of: retained, prefer: sft}`] : []),
    ...(method === 'linear' ? ['  base_model: base'] : []),
    ...(extended ? ['  tokenizer_from: ct'] : []),
    '  out_dtype: base',
  ];
  const model = (name, [weight, density]) => `  - {model: ${name}, parameters: {weight: ${weight}${method.startsWith('ties') ? `, density: ${density}` : ''}}}`;
  return [
    `merge_method: ${method === 'ties_sv' ? 'ties' : method}`,
    ...(method === 'linear' ? [] : ['base_model: base']),
    'models:',
    model('sft', sft),
    model('ct', ct),
    ...(method === 'linear' ? [] : ['parameters:', `  lambda: ${lambda}`]),
    'dtype: float32',
    'x_merging_studio:',
    '  version: 1',
    ...own,
    '',
  ].join('\n');
}

await ensureInstalled();
const interpreter = python();
const work = join(CACHE, 'work');
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
console.log('Making checkpoints with transformers.');
const made = execFileSync(interpreter, [join(TESTS, 'make_models.py'), join(work, 'models')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
const families = records(made);

/** One architecture goes through every recipe, the others through the two that differ most; all of it sharded and not, unless in haste. */
function isChecked(family, { recipe, sharded }) {
  const isTelling = recipe.name === 'ties' || recipe.name === 'ties-sv';
  if (family === 'llama') return !options.quick || sharded === (recipe.name === 'ties-sv');
  return isTelling && (!options.quick || (recipe.name === 'ties-sv' && sharded));
}

const jobs = [];
for (const family of families) {
  const folder = (role) => join(work, 'models', family.name, role);
  const all = RECIPES.flatMap((recipe) => [false, true].map((sharded) => ({ recipe, sharded })));
  for (const { recipe, sharded } of all.filter((one) => isChecked(family.name, one))) {
    const name = `${family.name} ${recipe.name}${sharded ? ' sharded' : ''}`;
    const out = join(work, 'out', name.replaceAll(' ', '-'), 'merged');
    const file = join(work, `${name.replaceAll(' ', '-')}.yml`);
    writeFileSync(file, yaml(recipe, family.extended));
    const models = ['base', 'sft', 'ct'].flatMap((role) => ['--model', `${role}=${folder(role)}`]);
    const args = ['merge', file, '--out', out, ...models, '--backend', 'cpu', '--quiet', ...(sharded ? ['--shard-size', '100kB'] : []), ...(family.extended ? ['--extra-rows', 'ct'] : [])];
    const merged = spawnSync(process.execPath, [join(ROOT, 'scripts', 'cli.mjs'), ...args], { encoding: 'utf8', timeout: MERGE_MS });
    if (merged.status !== 0) {
      console.error(`${name}: the merge failed: ${merged.error?.message ?? merged.stderr}`);
      process.exit(1);
    }
    jobs.push(jobOf(family, name, out, recipe, sharded));
  }
}

/** What check.py is to compare a folder with. */
function jobOf(family, name, out, recipe, sharded) {
  const folder = (role) => join(work, 'models', family.name, role);
  const [w, k] = [0, 1];
  return {
    name, out, sharded, tokenizer: folder(family.extended ? 'ct' : 'base'), base: folder('base'), method: recipe.method, slack: recipe.slack ?? 0, lambda: recipe.lambda ?? 1, extended: family.extended ?? false, causal: family.causal,
    models: ['sft', 'ct'].map((role) => ({ folder: folder(role), weight: recipe[role][w], density: recipe[role][k] })),
  };
}

// The page, of which a grid of four in one job, and with an adapter.
const { exportFromPage, GRID } = await import('./interop-page.mjs');
const proposed = RECIPES.find(({ name }) => name === 'ties-sv');
let isPageChecked = true;
for (const [name, withGrid] of [['llama', true], ['llama-lora', false]].slice(0, options.quick ? 1 : 2)) {
  const family = families.find((one) => one.name === name);
  const out = join(work, 'out', `${name}-page`);
  isPageChecked &&= await exportFromPage(['base', 'sft', 'ct'].map((role) => join(work, 'models', name, role)), out, { withGrid });
  if (!isPageChecked) break;
  jobs.push(jobOf(family, `${name} by the page`, join(out, 'merged'), proposed, false));
  const pairs = withGrid ? GRID.flatMap((sft) => GRID.map((ct) => [sft, ct])) : [];
  for (const [sft, ct] of pairs) {
    const folder = `sft-${sft}_ct-${ct}`;
    jobs.push(jobOf(family, `${name} by the page, grid, ${folder}`, join(out, folder), { ...proposed, sft: [1, sft], ct: [1, ct] }, false));
  }
}
if (!isPageChecked) console.log('No Chromium was found: exports of the page are not checked.');
writeFileSync(join(work, 'jobs.json'), JSON.stringify(jobs));
console.log(`Checking ${jobs.length} exported folders.`);
const checked = spawnSync(interpreter, [join(TESTS, 'check.py'), join(work, 'jobs.json')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: CHECK_MS, env: { ...process.env, HF_HUB_OFFLINE: '1' } });
const results = records(checked.stdout);

const versions = execFileSync(interpreter, ['-c', `import ${PACKAGES.join(', ')}; print(', '.join(f'{m.__name__} {m.__version__}' for m in (${PACKAGES.join(', ')})))`], { encoding: 'utf8' }).trim();
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const report = [
  '# Interoperability report',
  '',
  'Written by `npm run interop`; do not edit. Checkpoints made by transformers, an adapter by PEFT and weights by torch.save, merged by the command line on the CPU backend and,',
  isPageChecked ? 'where it says so, by the built page in Chromium (a merge, and a grid of four exported in one job), then' : 'elsewhere, by the built page (no Chromium was found here), then',
  'opened by `AutoConfig`, `AutoTokenizer`, `AutoModel…` and `safe_open`, run forward once, and every value compared with a merge done',
  'in NumPy from the definitions (`tests/interop/check.py`).',
  '',
  `- Date: ${new Date().toISOString().slice(0, 10)}; studio ${version}; Node ${process.versions.node}; ${os.type()} ${os.arch()}`,
  `- ${versions}`,
  `- ${results.filter(({ ok }) => ok).length} of ${jobs.length} folders are as they should be`,
  '',
  '| export | model | dtype | rows | tensors | values | values that differ | forward | verdict |',
  '|---|---|---|---:|---:|---:|---:|---|---|',
  ...results.map((r) =>
    r.error
      ? `| ${r.name} | | | | | | | | ${r.error.replaceAll('|', '/').split('\n')[0]} |`
      : `| ${r.name} | ${r.architecture} | ${r.dtype} | ${r.vocabulary} | ${r.tensors} | ${r.values} | ${r.differing} | ${r.finite ? 'finite' : 'not finite'} | ${r.ok ? 'as it should be' : JSON.stringify(r.problems).replaceAll('|', '/')} |`,
  ),
  '',
].join('\n');
mkdirSync(dirname(options.report), { recursive: true });
writeFileSync(options.report, report);
console.log(report);
process.exit(checked.status === 0 && results.length === jobs.length ? 0 : 1);
