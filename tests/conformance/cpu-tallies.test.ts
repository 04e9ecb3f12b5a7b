import { createCpuBackend } from '../../src/cpu/backend';
import { channelWorker } from './channel-worker';
import { describeTallies } from './tallies';

const POOLED = { workers: 2, spawn: () => channelWorker(), leastPooled: 0 };
describeTallies('the CPU backend', () => Promise.resolve(createCpuBackend()));
describeTallies('the CPU backend, two workers, nothing kept between passes', () => Promise.resolve(createCpuBackend({ ...POOLED, residentBytes: 0 })), { runs: 15 });
