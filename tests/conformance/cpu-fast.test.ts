import { createCpuBackend } from '../../src/cpu/backend';
import { describeChunks } from './chunks';
import { describeFigures } from './figures';
import { loadFixture } from './fixtures';
import { describeGolden } from './golden';
import { describeHeld } from './held';
import { describeProperties } from './properties';

const loadCheckpoint = (folder: string) => loadFixture(`checkpoints/${folder}/model.safetensors`);

const VARIANTS = [
  { name: 'the CPU backend', options: {} },
  { name: 'the CPU backend, nothing kept between passes', options: { residentBytes: 0 } },
];
for (const { name, options } of VARIANTS) {
  const make = () => Promise.resolve(createCpuBackend(options));
  describeChunks(name, make);
  describeProperties(name, make, { exact: true, runs: 150 });
}

const make = () => Promise.resolve(createCpuBackend());
describeGolden('the CPU backend', make, { exact: true });
describeHeld('the CPU backend', make);
describeFigures('the CPU backend', make, loadCheckpoint);
