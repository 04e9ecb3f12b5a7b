import { expect, it } from 'vitest';
import { createCpuBackend } from '../../src/cpu/backend';
import { channelWorker } from './channel-worker';
import { describeAngles } from './angles';
import { describeChunks } from './chunks';
import { describeFigures } from './figures';
import { loadFixture } from './fixtures';
import { describeGolden } from './golden';
import { describeHeld } from './held';
import { describeLimits } from './limits';
import { describeMasks } from './masks';
import { describeProperties } from './properties';

const loadCheckpoint = (folder: string) => loadFixture(`checkpoints/${folder}/model.safetensors`);

/** Groups of any size go to the workers. */
const pooled = (simd: boolean) => ({ workers: 2, spawn: () => channelWorker(Infinity, simd), leastPooled: 0, simd });
const PATHS = [
  { path: 'the CPU backend by SIMD', simd: true, runs: 150 },
  { path: 'the CPU backend by typed arrays', simd: false, runs: 60 },
];
for (const { path, simd, runs } of PATHS) {
  it(`${path} is what it says`, () => {
    expect(createCpuBackend({ simd }).info.label).toBe(simd ? 'CPU, one thread, SIMD' : 'CPU, one thread');
  });

  const make = () => Promise.resolve(createCpuBackend({ simd }));
  describeChunks(path, make);
  describeLimits(path, make);
  describeProperties(path, make, { exact: true, runs });
  describeGolden(path, make, { exact: true });
}
describeFigures('the CPU backend', () => Promise.resolve(createCpuBackend()), loadCheckpoint);
describeHeld('the CPU backend', () => Promise.resolve(createCpuBackend()));
describeAngles('the CPU backend', () => Promise.resolve(createCpuBackend()));
describeMasks('the CPU backend', () => Promise.resolve(createCpuBackend()));
describeAngles('the CPU backend, two workers', () => Promise.resolve(createCpuBackend(pooled(true))));

// How parts are kept and shared out is the same code on both paths.
for (const { name, options } of [
  { name: 'the CPU backend, nothing kept between passes', options: { residentBytes: 0 } },
  { name: 'the CPU backend, two workers', options: pooled(true) },
  { name: 'the CPU backend, two workers by typed arrays, nothing kept between passes', options: { ...pooled(false), residentBytes: 0 } },
]) {
  const make = () => Promise.resolve(createCpuBackend(options));
  describeChunks(name, make);
  describeLimits(name, make);
  describeProperties(name, make, { exact: true, runs: 40 });
}
