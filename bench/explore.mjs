/**
 * Measures exploring on the built page in Chromium: from the drop of three 7B checkpoints to the first charts and to the refined
 * ones, what is read for them, and a slider dragged over both families. Writes bench/RESULTS-explore.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { ensureInstalled, ROOT, tool } from '../scripts/project.mjs';
import { createFamily, FAMILY, fill } from './seven-b.mjs';

const WAIT_MS = 120_000;
/** Around each place that was read: the refined sample's size, hence its places, follows a measured speed. */
const MARGIN = 16 * 1024;
const DRAG_STEPS = 120;
const STEP_MS = 30;

/** In the page: notes when questions go out, answers come and charts are painted, and every long task. */
function probe() {
  const log = { inputs: [], explores: new Map(), paints: [], samples: [], longTasks: [], firstChart: null, dropped: null };
  window.probe = log;
  let lastInput = null;
  let answered = null;
  addEventListener('input', (event) => (lastInput = event.timeStamp), true);
  addEventListener('drop', () => (log.dropped ??= performance.now()), true);
  new PerformanceObserver((list) => list.getEntries().forEach(({ startTime, duration }) => log.longTasks.push({ startTime, duration }))).observe({ type: 'longtask' });
  const afterPaint = (then) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => then(performance.now());
      port2.postMessage(null);
    });
  new MutationObserver(() => {
    if (log.firstChart === null && document.querySelector('.charts-chip') && document.querySelector('.charts-panel svg')) {
      log.firstChart = 0;
      afterPaint((at) => (log.firstChart = at));
    }
    if (answered === null) return;
    const { input, sample } = answered;
    answered = null;
    afterPaint((at) => log.paints.push({ input, at, settled: sample?.settled, values: sample?.values, reads: sample?.reads, bytes: sample?.bytes }));
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });

  const Native = window.Worker;
  window.Worker = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (data.event === 'sample') log.samples.push(performance.now());
        const asked = log.explores.get(data.id);
        if (asked === undefined) return;
        log.explores.delete(data.id);
        if (data.ok) answered = { input: asked, sample: data.reply.sample };
      });
    }
    postMessage(message, ...rest) {
      if (message.request === 'explore') log.explores.set(message.id, lastInput);
      super.postMessage(message, ...rest);
    }
  };
}

/** In the worker: notes every read of a file. */
function watchReads() {
  self.reads = [];
  const slice = Blob.prototype.slice;
  Blob.prototype.slice = function (begin, end, type) {
    self.reads.push({ file: this.name, size: this.size, begin, end, at: performance.timeOrigin + performance.now() });
    return slice.call(this, begin, end, type);
  };
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const quantile = (numbers, q) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(q * numbers.length))] ?? NaN;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function openPage(browser, url) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.addInitScript(probe);
  const started = page.waitForEvent('worker');
  await page.goto(url);
  const worker = await started;
  await worker.evaluate(watchReads);
  await page.getByRole('button', { name: /^Backend: (WebGPU|CPU)/ }).waitFor({ timeout: WAIT_MS });
  return { page, worker };
}

async function drop(page, paths) {
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  const session = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 640, y: 360, data });
  await session.detach();
}

const settledPaint = () => window.probe.paints.some(({ settled }) => settled);

/** Drops the family and waits for the first and for the refined charts. */
async function openFamily({ page, worker }, root) {
  await drop(page, FAMILY.map(({ name }) => join(root, name)));
  await page.waitForFunction(() => window.probe.firstChart, null, { timeout: WAIT_MS, polling: 50 });
  await page.waitForFunction(settledPaint, null, { timeout: WAIT_MS, polling: 50 });
  const { origin, dropped, firstChart, refined, sample } = await page.evaluate(() => {
    const { dropped, firstChart, paints } = window.probe;
    const last = paints.findLast(({ settled }) => settled);
    return { origin: performance.timeOrigin, dropped, firstChart, refined: paints.find(({ settled }) => settled).at, sample: last };
  });
  const reads = await worker.evaluate(() => self.reads);
  const until = (at) => reads.filter((read) => read.at <= origin + at);
  const total = (some) => ({ reads: some.length, bytes: some.reduce((sum, { begin, end }) => sum + end - begin, 0) });
  return {
    reads,
    first: { seconds: (firstChart - dropped) / 1000, ...total(until(firstChart)) },
    refined: { seconds: (refined - dropped) / 1000, ...total(until(refined)), values: sample.values },
    longTasks: await page.evaluate((from) => window.probe.longTasks.filter(({ startTime }) => startTime >= from).map(({ duration }) => duration), dropped),
  };
}

/** Drags the density of the SFT model to and fro with the mouse. */
async function dragSlider(page) {
  const slider = page.getByRole('slider', { name: /^Density of sft/ });
  await slider.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await slider.boundingBox();
  const at = (share) => [x + 8 + (width - 16) * share, y + height / 2];
  await page.mouse.move(...at(0.2));
  const from = await page.evaluate(() => {
    window.probe.paints.length = 0;
    return performance.now();
  });
  await page.mouse.down();
  for (let step = 0; step <= DRAG_STEPS; step++) {
    await page.mouse.move(...at(0.5 - 0.4 * Math.cos((step / DRAG_STEPS) * 4 * Math.PI)));
    await pause(STEP_MS);
  }
  await page.mouse.up();
  await pause(1000);
  const { paints, longTasks } = await page.evaluate((since) => {
    const { paints, longTasks } = window.probe;
    return { paints, longTasks: longTasks.filter(({ startTime }) => startTime >= since).map(({ duration }) => duration) };
  }, from);
  // One input may be behind two paints: the first tells how long it took.
  const latency = new Map();
  for (const { input, at: painted } of paints) if (input !== null && input >= from && !latency.has(input)) latency.set(input, painted - input);
  return { latencies: [...latency.values()], longTasks };
}

/** Milliseconds a read, and MB/s, of blocks of `bytes` at scattered places with so many reads under way. */
async function readingRates(page, path) {
  await page.setContent('<input type="file">');
  await page.setInputFiles('input', path);
  return page.evaluate(async () => {
    const [file] = document.querySelector('input').files;
    const scattered = async (bytes, atOnce, count) => {
      let next = 0;
      const started = performance.now();
      const reader = async () => {
        for (let i = next++; i < count; i = next++) {
          const begin = 4096 * Math.floor(((i * 0.6180339887) % 1) * (file.size / 4096 - 64));
          await file.slice(begin, begin + bytes).arrayBuffer();
        }
      };
      await Promise.all(Array.from({ length: atOnce }, reader));
      return (performance.now() - started) / count;
    };
    await scattered(8192, 16, 200);
    const rows = [];
    for (const atOnce of [1, 4, 8, 16, 32, 64]) rows.push({ atOnce, milliseconds: await scattered(8192, atOnce, 600) });
    const started = performance.now();
    const piece = 64 * 2 ** 20;
    for (let at = 0; at < 32 * piece; at += piece) await file.slice(at, at + piece).arrayBuffer();
    return { rows, bytesPerSecond: (32 * piece) / ((performance.now() - started) / 1000) };
  });
}

const MB = 1e6;
const fixed = (value, digits = 2) => value.toFixed(digits);
const tasks = (list) => `${list.filter((duration) => duration > 50).length}${list.length > 0 ? ` (longest ${fixed(Math.max(...list), 0)} ms)` : ''}`;

function report({ browserVersion, chip, family, rates, bytes, drags, written }) {
  const share = (some) => `${fixed((some.bytes / bytes) * 100, 3)} %`;
  const row = (name, some) => `| ${name} | ${fixed(some.seconds)} | ${some.reads} | ${fixed(some.bytes / MB, 1)} | ${share(some)} |`;
  const dragRow = ({ name, latencies, longTasks }) =>
    `| ${name} | ${latencies.length} | ${fixed(quantile(latencies, 0.5), 0)} | ${fixed(quantile(latencies, 0.95), 0)} | ${tasks(longTasks)} |`;
  return [
    '# Exploring, measured',
    '',
    'Written by `node bench/explore.mjs`; do not edit. The built page in Chromium, files dropped on it as the operating system does.',
    '',
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    `- Machine: ${os.cpus()[0]?.model ?? os.arch()}, ${os.availableParallelism()} cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()}`,
    `- Browser: Chromium ${browserVersion}; ${chip}`,
    `- The 7B family: ${FAMILY.map(({ name, shards }) => `${name} (${shards} shards)`).join(', ')}, 291 tensors each with the shapes of Llama-2-7B in BF16, ${fixed(bytes / 1e9, 1)} GB together, sparse files with real headers. A seeded pattern of 524,288 values, repeating over each tensor, is written where a first drop read and ${MARGIN / 1024} KiB around (${fixed(written / MB, 0)} MB); the second drop is the one measured. The files lie in the page cache of the operating system.`,
    '',
    '## From the drop to the charts, three 7B checkpoints',
    '',
    '| until | seconds | reads | MB read | of all bytes |',
    '|---|---:|---:|---:|---:|',
    row('first complete chart, painted', family.first),
    row(`refined charts, painted (${fixed(family.refined.values / 1e6, 2)} million values a model)`, family.refined),
    `| reading everything, estimated from 2 GiB at ${fixed(rates.bytesPerSecond / MB, 0)} MB/s | ${fixed(bytes / rates.bytesPerSecond, 0)} | ${Math.ceil(bytes / (64 * 2 ** 20))} | ${fixed(bytes / MB, 0)} | 100 % |`,
    '',
    `Tasks of the page's main thread over 50 ms from the drop to the refined charts: ${tasks(family.longTasks)}. Reads include headers and index files.`,
    '',
    '## Slider to painted chart',
    '',
    `The density of the SFT model dragged to and fro with the mouse, ${DRAG_STEPS} steps ${STEP_MS} ms apart. From the input event to the frame that shows its figures; inputs that a later one overtook have no paint of their own.`,
    '',
    '| family | paints | median ms | 95th percentile ms | tasks over 50 ms |',
    '|---|---:|---:|---:|---:|',
    ...drags.map(dragRow),
    '',
    '## Small reads of a File',
    '',
    '8 KiB at scattered places of a 6.7 GB file, so many under way at once:',
    '',
    `| at once | ${rates.rows.map(({ atOnce }) => atOnce).join(' | ')} |`,
    `|---|${rates.rows.map(() => '---:').join('|')}|`,
    `| ms a read | ${rates.rows.map(({ milliseconds }) => fixed(milliseconds)).join(' | ')} |`,
    '',
  ].join('\n');
}

await ensureInstalled();
const { chromium } = await import('playwright');
const { launchArguments } = await import('../scripts/chromium.mjs');
const { ensureChromium } = await import('../scripts/install-chromium.mjs');
const { serve } = await import('../scripts/serve.mjs');

const executablePath = await ensureChromium();
if ((await tool('vite', ['build'])) !== 0) process.exit(1);
const root = mkdtempSync(join(os.tmpdir(), 'explore-'));
const server = await serve(join(ROOT, 'dist'));
const browser = await chromium.launch({ executablePath, args: launchArguments({ webgpu: true }) });
try {
  const { files, bytes } = createFamily(root);
  const scout = await openPage(browser, server.url);
  const { reads } = await openFamily(scout, root);
  await scout.page.close();
  const written = fill(files, reads, MARGIN);

  const seven = await openPage(browser, server.url);
  const chip = await seven.page.getByRole('button', { name: /^Backend: / }).innerText();
  const family = await openFamily(seven, root);
  const drags = [{ name: 'three 7B checkpoints', ...(await dragSlider(seven.page)) }];
  await seven.page.close();

  const small = await openPage(browser, server.url);
  await small.page.getByRole('button', { name: 'Open the sample family' }).click();
  await small.page.waitForFunction(settledPaint, null, { timeout: WAIT_MS, polling: 50 });
  drags.unshift({ name: 'sample family', ...(await dragSlider(small.page)) });
  const rates = await readingRates(small.page, files[0].path);

  const text = report({ browserVersion: browser.version(), chip, family, rates, bytes, drags, written });
  writeFileSync(join(ROOT, 'bench', 'RESULTS-explore.md'), text);
  console.log(text);
} finally {
  await browser.close();
  await server.close();
  rmSync(root, { recursive: true, force: true });
}
