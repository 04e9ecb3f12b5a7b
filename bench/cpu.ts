/** The CPU backend under Node: one tensor in memory, on one thread and with a worker thread a core. Prints the report as JSON. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createCpuBackend } from '../src/cpu/backend';
import type { FromPoolWorker, PoolWorker } from '../src/cpu/pool-messages';
import type { Measurement, Report } from './report';
import { COLUMNS, syntheticFamily } from './synthetic';
import { whole } from './tensor';

const REPETITIONS = 5;

function spawn(): PoolWorker {
  const worker = new Worker(new URL('./cpu-part.mjs', import.meta.url));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      worker.on('message', (message: FromPoolWorker) => onMessage(message));
      worker.on('error', (error) => onDeath(String(error)));
    },
    terminate: () => void worker.terminate(),
  };
}

const [rows, output] = process.argv.slice(2);
const family = syntheticFamily(Number(rows));
const measurements: Measurement[] = [];
const workers = availableParallelism();
for (const [name, backend] of [
  ['CPU backend, one thread', createCpuBackend()],
  [`CPU backend, ${workers} workers`, createCpuBackend({ workers, spawn })],
] as const) {
  measurements.push(...(await whole(backend, name, family, REPETITIONS)));
  backend.dispose();
}
const report: Report = { adapter: cpus()[0]?.model ?? process.arch, elements: Number(rows) * COLUMNS, measurements };
writeFileSync(output!, JSON.stringify(report));
