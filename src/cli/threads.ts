/** The workers of the CPU backend under Node. */
import { Worker } from 'node:worker_threads';
import type { FromPoolWorker, PoolWorker } from '../cpu/pool-messages';

/** A thread that runs `cpu-part.mjs`, which the bundle has beside itself. */
export function spawnThread(): PoolWorker {
  const worker = new Worker(new URL('./cpu-part.mjs', import.meta.url));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      worker.on('message', (message: FromPoolWorker) => onMessage(message));
      worker.on('error', (error) => onDeath(String(error)));
      worker.on('exit', (code) => onDeath(`its thread ended with ${code}`));
    },
    terminate: () => void worker.terminate(),
  };
}
