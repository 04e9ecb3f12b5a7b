import { createCpuBackend } from '../../src/cpu/backend';
import { channelWorker } from './channel-worker';
import { describeChunks } from './chunks';
import { describeFigures } from './figures';
import { loadFixture } from './fixtures';
import { describeGolden } from './golden';
import { describeHeld } from './held';
import { describeLimits } from './limits';
import { describeProperties } from './properties';

const loadCheckpoint = (folder: string) => loadFixture(`checkpoints/${folder}/model.safetensors`);

/** Groups of any size go to the workers. */
const POOLED = { workers: 2, spawn: () => channelWorker(), leastPooled: 0 };
const VARIANTS = [
  { name: 'the CPU backend', options: {}, runs: 150 },
  { name: 'the CPU backend, nothing kept between passes', options: { residentBytes: 0 }, runs: 60 },
  { name: 'the CPU backend, two workers', options: POOLED, runs: 40 },
  { name: 'the CPU backend, two workers, nothing kept between passes', options: { ...POOLED, residentBytes: 0 }, runs: 40 },
];
for (const { name, options, runs } of VARIANTS) {
  const make = () => Promise.resolve(createCpuBackend(options));
  describeChunks(name, make);
  describeLimits(name, make);
  describeProperties(name, make, { exact: true, runs });
}

const make = () => Promise.resolve(createCpuBackend());
describeGolden('the CPU backend', make, { exact: true });
describeHeld('the CPU backend', make);
describeFigures('the CPU backend', make, loadCheckpoint);
