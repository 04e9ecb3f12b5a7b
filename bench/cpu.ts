/**
 * The CPU backend under Node: one tensor in memory, on one thread and with a worker thread a core, by WebAssembly SIMD and by typed
 * arrays in turns. Prints the report as JSON.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { spawnThread } from '../src/cli/threads';
import { createCpuBackend } from '../src/cpu/backend';
import { measureInTurns, type Measurement, type Report } from './report';
import { COLUMNS, syntheticFamily } from './synthetic';
import { CASES, mergeOf } from './tensor';

const REPETITIONS = 5;

const [rows, output] = process.argv.slice(2);
const family = syntheticFamily(Number(rows));
const workers = availableParallelism();
const backends = [
  { name: 'SIMD, one thread', backend: createCpuBackend() },
  { name: 'typed arrays, one thread', backend: createCpuBackend({ simd: false }) },
  { name: `SIMD, ${workers} workers`, backend: createCpuBackend({ workers, spawn: () => spawnThread() }) },
  { name: `typed arrays, ${workers} workers`, backend: createCpuBackend({ workers, spawn: () => spawnThread(false), simd: false }) },
];
const bytes = family.reduce((sum, { byteLength }) => sum + byteLength, 0);
const measurements: Measurement[] = [];
for (const one of CASES) {
  measurements.push(...(await measureInTurns(backends.map(({ name, backend }) => ({ name: `${one.title}: ${name}`, work: mergeOf(backend, one, family) })), bytes, REPETITIONS)));
}
for (const { backend } of backends) backend.dispose();
const report: Report = { adapter: cpus()[0]?.model ?? process.arch, elements: Number(rows) * COLUMNS, measurements };
writeFileSync(output!, JSON.stringify(report));
