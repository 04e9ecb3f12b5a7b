/**
 * Builds the page of measurements, runs it in Chromium and writes bench/RESULTS.md.
 * `npm run bench -- --gpu` asks for the machine's own adapter; without it SwiftShader, which every machine has.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, ROOT, tool } from '../scripts/project.mjs';

const LIMIT_MS = 20 * 60_000;
const MIB = 1024 * 1024;
/** Parameters of the tensor that every row goes over once. */
const PARAMETERS = 4096 * 4096;

/** Middle one of several, robust against the one repetition that met a busy machine. */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function written({ adapter, measurements }, browser) {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const rows = measurements.map(({ name, bytes, seconds }) => {
    const typical = median(seconds);
    const spread = `${Math.min(...seconds).toFixed(3)} to ${Math.max(...seconds).toFixed(3)}`;
    const rate = bytes === 0 ? '' : (bytes / MIB / typical).toFixed(0);
    const parameters = (PARAMETERS / 1e6 / typical).toFixed(1);
    return `| ${name} | ${typical.toFixed(3)} | ${spread} | ${seconds.length} | ${rate} | ${parameters} |`;
  });
  return [
    '# Measurements',
    '',
    'Written by `npm run bench`; do not edit. One seeded tensor of 4096 x 4096 in BF16 with a base and two models',
    '(96 MiB read, 32 MiB written), TIES; passes are those of TIES-SV at (0.2, 1.0) and 4 %. Bytes of a pass are what it moves on',
    'the device, of the other rows what is read. Each row: one run to warm up, then the repetitions.',
    '',
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Machine: ${os.cpus()[0]?.model ?? os.arch()}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()}`,
    `- Browser: Chromium ${browser}; adapter: ${adapter}`,
    `- Studio ${version} (${commit()}), Node ${process.versions.node}`,
    '',
    '| measured | median s | range s | repetitions | MiB/s | million parameters/s |',
    '|---|---:|---:|---:|---:|---:|',
    ...rows,
    '',
  ].join('\n');
}

await ensureInstalled();
// Only now: these need the installed packages.
const { chromium } = await import('playwright');
const { launchArguments } = await import('../scripts/chromium.mjs');
const { ensureChromium } = await import('../scripts/install-chromium.mjs');
const { serve } = await import('../scripts/serve.mjs');

const executablePath = await ensureChromium();
if ((await tool('vite', ['build', '--config', 'bench/vite.config.ts'])) !== 0) process.exit(1);
const ownAdapter = process.argv.includes('--gpu');
const args = ownAdapter
  ? [...launchArguments({ webgpu: false }), '--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist']
  : launchArguments({ webgpu: true });

const server = await serve(join(ROOT, '.cache', 'bench'));
const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.goto(server.url);
  await page.waitForFunction(() => window.report !== undefined, null, { timeout: LIMIT_MS, polling: 500 });
  const report = await page.evaluate(() => window.report);
  if ('error' in report) throw new Error(report.error);
  const text = written(report, browser.version());
  writeFileSync(join(ROOT, 'bench', 'RESULTS.md'), text);
  console.log(text);
} finally {
  await browser.close();
  await server.close();
}
