/**
 * Measures and writes bench/results.json and bench/RESULTS.md; what is not measured this time stays as it was.
 *
 *   --parts files,cpu,tensor,node,explore,accuracy   which parts (default: all); explore writes bench/RESULTS-explore.md, accuracy bench/ACCURACY.md;
 *                               soak-merge only when named: the first family again and again in one tab
 *   --minutes N                 of soak-merge (default 60)
 *   --families 160m,1.1b        of 160m, 1.1b, 7b, 8b (default: the first two; 7b takes 56 GB of disk, 8b 66 GB)
 *   --backends cpu,webgpu       for files (default: both with --gpu; else cpu, and webgpu for 160m, where a software adapter takes about a minute)
 *   --repetitions N             runs of each family, cold and warm each; a copy and a merge in turns (default 3; of webgpu without --gpu 1)
 *   --cache FOLDER              where families are made and private storage lies (default: the system's temporary folder)
 *   --keep                      leave the families in --cache for the next run; else all but the small ones are removed
 *   --gpu                       the machine's own adapter instead of the software one, which every machine has
 *   --rows N                    of the tensor, 4096 values each (default 11008, on a software adapter 256)
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, ROOT, run, tool } from '../scripts/project.mjs';
import { WARM_BYTES } from './cache.mjs';
import { FAMILIES, makeFamily, parametersOf } from './families.mjs';
import { removeAtEnd } from './janitor.mjs';
import { measureFamily } from './pipeline.mjs';
import { circumstances, readResults, writeResults } from './results.mjs';
import { soak } from './soak.mjs';

const TENSOR_LIMIT_MS = 20 * 60_000;
const PARTS = ['files', 'cpu', 'tensor', 'node', 'explore', 'accuracy'];
/** A family of at most so many bytes stays for the next run. */
const KEPT_BYTES = 8e9;

const { values: options } = parseArgs({
  options: {
    parts: { type: 'string', default: PARTS.join(',') },
    families: { type: 'string', default: '160m,1.1b' },
    backends: { type: 'string' },
    repetitions: { type: 'string' },
    cache: { type: 'string', default: join(tmpdir(), 'model-merging-bench') },
    keep: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '60' },
    gpu: { type: 'boolean', default: false },
    rows: { type: 'string' },
  },
});
const list = (text, known) => {
  const names = text.split(',').filter(Boolean);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; known: ${known.join(', ')}`);
  return names;
};
const parts = list(options.parts, [...PARTS, 'soak-merge']);
const families = list(options.families, Object.keys(FAMILIES));
const rows = options.rows ?? (options.gpu ? '11008' : '256');
const wanted = options.backends === undefined ? null : list(options.backends, ['cpu', 'webgpu', 'auto']);
/** Whether a software adapter has done with a family within minutes. */
const isSmall = (family) => family === '160m';
const backendsFor = (family) => wanted ?? (options.gpu || isSmall(family) ? ['cpu', 'webgpu'] : ['cpu']);
const repetitionsOf = (backend) => Number(options.repetitions ?? (backend === 'webgpu' && !options.gpu ? 1 : 3));
/** The families of most of the machine's disk go when they were measured. */
const keeper = (family) => (options.keep || 6 * parametersOf(family) <= KEPT_BYTES ? null : removeAtEnd([join(options.cache, family)]));

await ensureInstalled();
const results = readResults();
if (['files', 'tensor', 'soak-merge'].some((part) => parts.includes(part))) await inBrowser();
if (parts.includes('cpu')) await onCpu();
if (parts.includes('node')) await underNode();
console.log(writeResults(results));
for (const part of ['explore', 'accuracy']) {
  if (parts.includes(part) && (await run(process.execPath, [join(ROOT, 'bench', `${part}.mjs`)])) !== 0) process.exit(1);
}

async function inBrowser() {
  // Only now: these need the installed packages.
  const { chromium } = await import('playwright');
  const { launchArguments } = await import('../scripts/chromium.mjs');
  const { ensureChromium } = await import('../scripts/install-chromium.mjs');
  const { serve } = await import('../scripts/serve.mjs');
  const executablePath = await ensureChromium();
  if ((await tool('vite', ['build', '--config', 'bench/vite.config.ts', '--logLevel', 'warn'])) !== 0) process.exit(1);
  const args = options.gpu
    ? [...launchArguments({ webgpu: false }), '--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist']
    : launchArguments({ webgpu: true });
  const launch = { executablePath, args: [...args, '--enable-precise-memory-info'] };
  const server = await serve(join(ROOT, '.cache', 'bench'));
  try {
    const version = await versionOf(chromium, launch);
    if (parts.includes('files')) await measureFiles(chromium, launch, server.url, version);
    if (parts.includes('soak-merge')) await measureSoak(chromium, launch, server.url, version);
    if (parts.includes('tensor')) await measureTensor(chromium, launch, server.url, version);
  } finally {
    await server.close();
  }
}

async function versionOf(chromium, launch) {
  const browser = await chromium.launch(launch);
  const version = browser.version();
  await browser.close();
  return version;
}

async function measureFiles(chromium, launch, url, browser) {
  results.files ??= {};
  const onRun = ({ what, cache, seconds }) => console.log(`  ${what}, ${cache}: ${seconds.toFixed(2)} s`);
  for (const family of families) {
    const janitor = keeper(family);
    for (const backend of backendsFor(family)) {
      console.log(`${family}, ${backend}`);
      // Before, since a run of many minutes may see other commits come.
      const about = circumstances({ browser });
      const runs = await measureFamily({ chromium, launch, url, cache: options.cache, family, backends: [backend], repetitions: repetitionsOf(backend), onRun });
      results.files[`${family}/${backend}`] = { ...about, load: loadavg()[1], gpu: isGpu(runs[0].backend), runs };
      writeResults(results);
    }
    await janitor?.release();
  }
}

async function measureSoak(chromium, launch, url, browser) {
  const about = circumstances({ browser });
  const [family] = families;
  const [choice] = backendsFor(family);
  console.log(`${family}, ${choice}, again and again`);
  const write = (measured) => {
    results.soak = { ...about, load: loadavg()[2], ...measured };
    writeResults(results);
  };
  // After each merge, so that an hour which is cut short has told what it saw.
  const onPoint = ({ minute, seconds, residentBytes, peakBytes }, soFar) => {
    console.log(`  ${minute.toFixed(1)} min: ${seconds.toFixed(1)} s, ${Math.round(residentBytes / 2 ** 20)} MiB, peak ${Math.round(peakBytes / 2 ** 20)}`);
    write(soFar);
  };
  write(await soak({ chromium, launch, url, cache: options.cache, family, choice, minutes: Number(options.minutes), onPoint }));
}

/** Whether what was measured ran on a GPU: --gpu on a machine without one still finds a software adapter. */
function isGpu(label) {
  return options.gpu && !/swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(label);
}

/** What the engine counted, where the report has it. */
function countsIn({ inputReadings, counted, idle }) {
  return inputReadings === undefined ? {} : { inputReadings, counted, idle };
}

async function measureTensor(chromium, launch, url, version) {
  const browser = await chromium.launch(launch);
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error));
    await page.goto(`${url}?rows=${rows}`);
    await page.waitForFunction(() => window.report !== undefined, null, { timeout: TENSOR_LIMIT_MS, polling: 500 });
    const report = await page.evaluate(() => window.report);
    if ('error' in report) throw new Error(report.error);
    results.tensor = { ...circumstances({ browser: version, adapter: report.adapter }), gpu: isGpu(report.adapter), ...countsIn(report), elements: report.elements, rows: report.measurements };
  } finally {
    await browser.close();
  }
}

/** The CPU backend needs no page either: worker threads do what workers do there. */
async function onCpu() {
  if ((await tool('vite', ['build', '--config', 'bench/vite.cpu.config.ts', '--logLevel', 'warn'])) !== 0) process.exit(1);
  const folder = join(ROOT, '.cache', 'bench-cpu');
  const output = join(folder, 'report.json');
  const load = loadavg()[0];
  if ((await run(process.execPath, [join(folder, 'cpu.mjs'), '4096', output], { limitMs: TENSOR_LIMIT_MS })) !== 0) process.exit(1);
  const report = JSON.parse(readFileSync(output, 'utf8'));
  results.cpu = { ...circumstances({}), load, elements: report.elements, rows: report.measurements };
}

/** A page of Chromium has its own software adapter; Node is shown the file that names it. */
async function underNode() {
  if ((await tool('vite', ['build', '--config', 'bench/vite.node.config.ts', '--logLevel', 'warn'])) !== 0) process.exit(1);
  const folder = join(ROOT, '.cache', 'bench-node');
  const output = join(folder, 'report.json');
  const env = options.gpu || process.env.VK_ICD_FILENAMES ? {} : await softwareDriver();
  if ((await run(process.execPath, [join(folder, 'node.mjs'), rows, output], { env, limitMs: TENSOR_LIMIT_MS })) !== 0) process.exit(1);
  const report = JSON.parse(readFileSync(output, 'utf8'));
  results.node = { ...circumstances({ adapter: report.adapter }), gpu: isGpu(report.adapter), ...countsIn(report), elements: report.elements, rows: report.measurements };
  writeResults(results);
  for (const family of families.filter((name) => options.gpu || isSmall(name))) await filesUnderNode(family, join(folder, 'node-files.mjs'), env);
}

/** From files to files without a browser: what a server does. */
async function filesUnderNode(family, script, env) {
  const janitor = keeper(family);
  const folder = join(options.cache, 'merged-under-node');
  const folders = removeAtEnd([folder]);
  const output = join(dirname(script), 'files.json');
  const times = (kind) => Array(repetitionsOf('webgpu')).fill(kind);
  const kinds = 6 * parametersOf(family) > WARM_BYTES ? times('large') : [...times('cold'), ...times('warm')];
  console.log(`${family}, webgpu, under Node`);
  const about = circumstances({});
  const ask = { family, choice: 'webgpu', paths: await makeFamily(family, options.cache), kinds, folder, output };
  if ((await run(process.execPath, [script, JSON.stringify(ask)], { env })) !== 0) process.exit(1);
  const runs = JSON.parse(readFileSync(output, 'utf8'));
  results.nodeFiles = { ...results.nodeFiles, [`${family}/webgpu`]: { ...about, load: loadavg()[0], gpu: isGpu(runs[0].backend), runs } };
  await folders.release();
  await janitor?.release();
}

/**
 * Environment in which Dawn finds SwiftShader: it lies beside Chromium's executable, or where the distribution's wrapper of that
 * name looks for it, with the Vulkan loader that not every system has.
 */
async function softwareDriver() {
  const { ensureChromium } = await import('../scripts/install-chromium.mjs');
  const browser = realpathSync(await ensureChromium());
  const folders = [dirname(browser), '/usr/lib/chromium', '/usr/lib/chromium-browser'];
  const found = folders.find((folder) => existsSync(join(folder, 'vk_swiftshader_icd.json')));
  if (found) {
    const libraries = [process.env.LD_LIBRARY_PATH, found].filter(Boolean).join(':');
    return { VK_ICD_FILENAMES: join(found, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: libraries };
  }
  throw new Error('no software adapter beside Chromium: name its driver file in VK_ICD_FILENAMES, or give --gpu');
}
