/** The CPU backend under Node: one tensor in memory, on one thread and with a worker thread a core. Prints the report as JSON. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { createCpuBackend } from '../src/cpu/backend';
import { spawnThread } from '../src/cli/threads';
import type { Measurement, Report } from './report';
import { COLUMNS, syntheticFamily } from './synthetic';
import { whole } from './tensor';

const REPETITIONS = 5;

const [rows, output] = process.argv.slice(2);
const family = syntheticFamily(Number(rows));
const measurements: Measurement[] = [];
const workers = availableParallelism();
for (const [name, backend] of [
  ['CPU backend, one thread', createCpuBackend()],
  [`CPU backend, ${workers} workers`, createCpuBackend({ workers, spawn: spawnThread })],
] as const) {
  measurements.push(...(await whole(backend, name, family, REPETITIONS)));
  backend.dispose();
}
const report: Report = { adapter: cpus()[0]?.model ?? process.arch, elements: Number(rows) * COLUMNS, measurements };
writeFileSync(output!, JSON.stringify(report));
