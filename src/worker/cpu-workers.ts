/** The workers of the CPU backend in a browser. */
import type { FromPoolWorker, PoolWorker } from '../cpu/pool-messages';
import partScript from './cpu-part?worker&url';
import { spawnModule } from './spawn';

/** More workers than this wait for memory rather than for a core. */
const MOST_WORKERS = 8;

/** One worker a core: this thread reads, writes and waits. */
export function cpuWorkers(): number {
  return Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency));
}

export function spawnCpuWorker(): PoolWorker {
  const worker = spawnModule(partScript, 'cpu part');
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      worker.addEventListener('message', ({ data }: MessageEvent<FromPoolWorker>) => onMessage(data));
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        onDeath(event.message || 'its script did not load');
      });
      worker.addEventListener('messageerror', () => onDeath('a message could not be read'));
    },
    terminate: () => worker.terminate(),
  };
}
