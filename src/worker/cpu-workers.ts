/** The workers of the CPU backend in a browser. */
import type { PoolWorker } from '../cpu/pool-messages';
import partScript from './cpu-part?worker&url';
import { spawnPart } from './part-workers';

/** More workers than this wait for memory rather than for a core. */
const MOST_WORKERS = 8;

/** One worker a core: this thread reads, writes and waits. */
export function cpuWorkers(): number {
  return Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency));
}

export const spawnCpuWorker = (): PoolWorker => spawnPart(partScript, 'cpu part');
