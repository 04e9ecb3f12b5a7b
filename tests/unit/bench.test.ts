/** What `npm run bench` says of its own figures, and what it leaves on the disk (issue 4, bench). */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { barsOf } from '../../bench/bars.mjs';
import { partsOf } from '../../bench/cpu-time.mjs';
import { diskBytesOf, FAMILIES, tensorsOf } from '../../bench/families.mjs';
import { removeAtEnd } from '../../bench/janitor.mjs';
import { slope, slopeInterval } from '../../bench/statistics.mjs';

const run = (family: string, what: 'copy' | 'merge', seconds: number, more: object = {}) => ({ family, choice: 'cpu', backend: 'CPU', what, cache: 'warm', seconds, residentBytes: 500e6, plannedPeakBytes: 100, verified: 3, tensors: 3, verifiedSeconds: seconds, ...more });
const pair = (family: string, copy: number, merge: number, more: object = {}) => ({ runs: [run(family, 'copy', copy, more), run(family, 'merge', merge, more)] });
const verdicts = (results: object) => Object.fromEntries(barsOf(results).map(({ bar, verdict }) => [bar, verdict]));
const find = (results: object, part: string) => barsOf(results).filter(({ bar }) => bar.includes(part)).map(({ measured, verdict }) => [measured, verdict]);

describe('bars', () => {
  it('of what was not measured say so, all of them', () => {
    expect(Object.values(verdicts({})).every((verdict) => verdict.startsWith('not measured: '))).toBe(true);
  });
  it('of memory compare the 7B with the limit, and with the 1.1B at an equal plan only', () => {
    const both = (bytes: number, planned = 100) => ({ files: { a: pair('1.1b', 1, 2), b: pair('7b', 4, 8, { residentBytes: bytes, plannedPeakBytes: planned }) } });
    const memory = (results: object) => find(results, 'memory of a 7B shape').map(([, verdict]) => verdict);
    expect(memory(both(549e6))).toEqual(['pass', 'pass']);
    expect(memory(both(551e6))).toEqual(['pass', 'miss']);
    expect(memory(both(1501e6))).toEqual(['miss', 'miss']);
    expect(memory(both(549e6, 101))).toEqual(['pass', 'not measured: the plans are 0 MiB and 0 MiB']);
  });
  it('of memory hold a backend against itself, whatever another one takes', () => {
    const of = (choice: string, family: string, residentBytes: number, plannedPeakBytes: number) => pair(family, 1, 2, { choice, backend: choice.toUpperCase(), residentBytes, plannedPeakBytes });
    const files = { a: of('cpu', '1.1b', 500e6, 100), b: of('webgpu', '1.1b', 900e6, 200), c: of('cpu', '7b', 560e6, 100), d: of('webgpu', '7b', 910e6, 200) };
    expect(verdicts({ files })).toMatchObject({
      'memory of a 7B shape, CPU: within 10 % of that of a 1.1B at an equal budget': 'miss',
      'memory of a 7B shape, WEBGPU: within 10 % of that of a 1.1B at an equal budget': 'pass',
    });
    // A family that one of them was not measured with is none for the other either.
    expect(find({ files: { a: files.a, d: files.d } }, '7B shape').map(([, verdict]) => verdict)).toEqual(['not measured: family 7b', 'not measured: family 7b', 'pass', 'not measured: family 1.1b']);
  });
  it('of an hour ask that memory surely grows by no more than a tenth', () => {
    // Merges of a minute; after the first sixth a line of `growth` bytes an hour through 100, and merges `apart` bytes above and below it.
    const hour = (growth: number, apart = 0, minutes = 61) => ({
      soak: { minutes, points: Array.from({ length: minutes }, (_, i) => ({ minute: i + 1, residentBytes: i < 10 ? 0 : 1e8 + 1e6 * growth * ((i + 1 - 36) / 60) + 1e6 * apart * (-1) ** i, peakBytes: 2e8 })) },
    });
    const typical = (results: object) => find(results, 'over an hour of merges, the typical').map(([, verdict]) => verdict);
    expect(find(hour(9), 'over an hour')).toEqual([['9 MiB an hour (95 %: 9 to 9) of 95 MiB: at most 9 %', 'pass'], ['0 MiB an hour (95 %: 0 to 0) of 191 MiB: at most 0 %', 'pass']]);
    expect(typical(hour(11))).toEqual(['miss']);
    expect(typical(hour(-11))).toEqual(['pass']);
    // Not sure is not flat.
    expect(typical(hour(9, 0.5))).toEqual(['pass']);
    expect(typical(hour(9, 2))).toEqual(['miss']);
    expect(typical(hour(9, 0, 59))).toEqual(['not measured: 59.0 minutes']);
  });
  it('of the ratio take medians, warm and cold apart, and what does not fit the cache as cold', () => {
    const files = { a: pair('160m', 1, 2), b: pair('1.1b', 10, 23), c: pair('7b', 10, 24, { cache: 'large' }), d: pair('160m', 10, 20, { cache: 'cold' }) };
    expect(find({ files }, 'within 15 %')).toEqual([['160m 2.00, 1.1b 2.30: 15 %', 'pass'], ['160m 2.00, 7b 2.40: 20 %', 'miss']]);
  });
  it('of the CPU take the fastest backend', () => {
    const rows = (...seconds: number[]) => ({ elements: 45e6, rows: seconds.map((one, i) => ({ name: `backend ${i}, whole merge at (0.2, 1)`, bytes: 1, seconds: [one, one, 9] })) });
    expect(find({ cpu: rows(2, 1) }, '(0.2, 1.0) without')).toEqual([['45.0', 'pass']]);
    expect(find({ cpu: rows(2, 1.01) }, '(0.2, 1.0) without')).toEqual([['44.6', 'miss']]);
    expect(find({ cpu: rows(1) }, '(0.2, 0.2) without')).toEqual([['', 'not measured: part cpu']]);
  });
  it('of a GPU are judged on a GPU only: passes by the device copy of the same run', () => {
    const rows = [['pass copy (device)', 100], ['pass merge', 59], ['pass pick', 0], ['engine, whole merge', 10]].map(([name, bytes]) => ({ name, bytes, seconds: [1] }));
    expect(find({ node: { gpu: false, rows } }, 'on a GPU').map(([, verdict]) => verdict)).toEqual(['not measured: no GPU', 'not measured: no GPU', 'not measured: no GPU']);
    expect(find({ node: { gpu: true, rows } }, 'pass merge on a GPU')).toEqual([['59 %', 'miss']]);
    expect(find({ node: { gpu: true, rows: [rows[0], { ...rows[1], bytes: 60 }] } }, 'pass merge on a GPU')).toEqual([['60 %', 'pass']]);
    // What goes over a list is held against a copy of as many bytes, which takes as long to begin.
    const ofList = [{ name: 'pass copy of a list', bytes: 20, seconds: [1] }, { name: 'pass listed', bytes: 11, seconds: [1], against: 'pass copy of a list' }, { name: 'pass settle', bytes: 0, seconds: [1] }];
    expect(find({ node: { gpu: true, rows: [...rows, ...ofList] } }, '60 %')).toEqual([['59 %', 'miss'], ['55 %', 'miss']]);
    const files = { a: { gpu: true, ...pair('7b', 10, 11.5, { choice: 'webgpu' }) } };
    expect(find({ files }, 'at most 1.15')).toEqual([['', 'not measured: no GPU'], ['1.15', 'pass']]);
    const software = { a: { gpu: false, ...pair('7b', 10, 300, { choice: 'webgpu' }) } };
    expect(find({ files: software, nodeFiles: files }, 'at most 1.15')).toEqual([['1.15', 'pass'], ['', 'not measured: no GPU']]);
    // Of each size by itself, and the worst of them.
    expect(find({ nodeFiles: { ...files, b: { gpu: true, ...pair('160m', 10, 11.6, { choice: 'webgpu' }) } } }, 'under Node')).toEqual([['1.16', 'miss']]);
    // Bytes moved are counted on any adapter.
    expect(find({ node: { gpu: false, rows, inputReadings: 2.01 } }, 'at most twice')).toEqual([['2.01 readings', 'miss']]);
  });
  it('of completing ask every run for every tensor', () => {
    expect(find({ files: { a: pair('7b', 1, 2) } }, 'completes')).toEqual([['3 of 3 tensors in 2 s', 'pass']]);
    expect(find({ files: { a: pair('7b', 1, 2, { verified: 2 }) } }, 'completes')[0]![1]).toBe('miss');
  });
});

describe('families', () => {
  const parameters = (family: keyof typeof FAMILIES) => tensorsOf(FAMILIES[family]).reduce((sum, [, shape]) => sum + shape.reduce((product, n) => product * n, 1), 0);
  it('have the tensors of TinyLlama 1.1B, Llama 2 7B and Llama 3 8B, to the parameter', () => {
    expect([parameters('1.1b'), parameters('7b'), parameters('8b')]).toEqual([1_100_048_384, 6_738_415_616, 8_030_261_248]);
    expect(tensorsOf(FAMILIES['8b'])).toHaveLength(291);
    expect(new Map(tensorsOf(FAMILIES['8b'])).get('model.embed_tokens.weight')).toEqual([128_256, 4096]);
    expect(new Map(tensorsOf(FAMILIES['8b'])).get('model.layers.31.self_attn.k_proj.weight')).toEqual([1024, 4096]);
  });
});

describe('disk', () => {
  it('of the largest family is less than 68 GB: 48 of inputs and one output at a time', () => {
    expect((['7b', '8b'] as const).map((family) => (diskBytesOf(family) / 1e9).toFixed(1))).toEqual(['55.3', '65.8']);
  });
});

describe('CPU seconds', () => {
  it('are told by what threads do: the page\'s first worker is the studio\'s own', () => {
    const thread = (tid: number, kind: string, name: string, ticks: number, began = tid) => ({ tid, began, kind, name, ticks });
    const threads = [
      thread(1, 'browser', 'chromium', 100),
      thread(2, 'utility', 'ThreadPoolForeg', 50),
      thread(3, 'renderer', 'chromium', 10),
      // Numbers of threads are used again.
      thread(4, 'renderer', 'DedicatedWorker', 300, 8),
      thread(5, 'renderer', 'DedicatedWorker', 200),
      thread(6, 'renderer', 'ThreadPoolForeg', 70),
      thread(7, 'gpu-process', 'ThreadPoolForeg', 5),
    ];
    expect(partsOf(threads)).toEqual({ studio: 2, workers: 3, pool: 0.7, files: 1.5, other: 0.15 });
    expect(partsOf([])).toEqual({ studio: 0, workers: 0, pool: 0, files: 0, other: 0 });
  });
});

describe('the slope of memory over time', () => {
  it('is that of the line of least squares', () => {
    expect(slope([[0, 10], [1, 12], [2, 14]])).toBe(2);
    expect(slope([[0, 1], [1, 3], [2, 1], [3, 3]])).toBeCloseTo(0.4, 12);
    expect(slope([[5, 1]])).toBe(0);
  });
  it('has the interval of the regression, from five points on', () => {
    // By the tabulated 0.975 quantile of t with 4 degrees of freedom, 2.776445: 0.0513 to 1.6058.
    const { slope: steepness, low, high } = slopeInterval([[0, 2], [1, 1], [2, 4], [3, 3], [4, 6], [5, 5]]);
    expect(steepness).toBeCloseTo(0.82857, 4);
    expect(low).toBeCloseTo(0.0513, 2);
    expect(high).toBeCloseTo(1.6058, 2);
    expect(slopeInterval([[0, 2], [1, 4], [2, 6], [3, 8], [4, 10]])).toEqual({ slope: 2, low: 2, high: 2 });
    expect(slopeInterval([[0, 2], [1, 1], [2, 4], [3, 3]]).low).toBeNull();
  });
});

describe('folders of a bench', () => {
  const filled = () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
    writeFileSync(join(folder, 'large'), 'x');
    return folder;
  };
  it('are gone when it releases them', async () => {
    const folder = filled();
    await removeAtEnd([folder]).release();
    expect(existsSync(folder)).toBe(false);
  });
  it('are gone when it is killed', async () => {
    const folder = filled();
    const janitor = pathToFileURL(join(process.cwd(), 'bench', 'janitor.mjs')).href;
    const script = `import { removeAtEnd } from ${JSON.stringify(janitor)}; removeAtEnd([${JSON.stringify(folder)}]); setInterval(() => {}, 1000); console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', reject);
    });
    expect(existsSync(folder)).toBe(true);
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 50_000, interval: 20 });
  });
});
