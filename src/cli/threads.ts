/** The workers of the CPU backend under Node. */
import { Worker } from 'node:worker_threads';
import type { FromPoolWorker, PoolWorker } from '../cpu/pool-messages';

/**
 * A thread that runs `cpu-part.mjs`, which the bundle has beside itself.
 * @param simd whether it uses WebAssembly SIMD where it runs
 */
export function spawnThread(simd = true): PoolWorker {
  const worker = new Worker(new URL('./cpu-part.mjs', import.meta.url), { workerData: { simd } });
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
