import { createCpuBackend } from '../../src/cpu/backend';
import { createReferenceBackend } from '../../src/reference/backend';
import { channelWorker } from './channel-worker';
import { describeWholeModel } from './whole-model';

const POOLED = { workers: 2, spawn: () => channelWorker(), leastPooled: 0 };
describeWholeModel('the CPU reference', () => Promise.resolve(createReferenceBackend()));
describeWholeModel('the CPU backend', () => Promise.resolve(createCpuBackend()));
describeWholeModel('the CPU backend, two workers, nothing kept between passes', () => Promise.resolve(createCpuBackend({ ...POOLED, residentBytes: 0 })), { runs: 15 });
