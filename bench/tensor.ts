/** One tensor through every backend and pass, inputs in memory; the same in a page and under Node. */
import { createCpuBackend } from '../src/cpu/backend';
import { createWebGpuBackend, type WebGpuBackend } from '../src/engine/backend';
import { requestStudioDevice } from '../src/engine/device';
import type { Backend, Group } from '../src/merge/backend';
import type { Method, TensorParameters } from '../src/recipe/types';
import { passTimings } from './passes';
import { type Counted, measure, type Measurement, type Report } from './report';
import { severalTimings } from './several';
import { COLUMNS, syntheticFamily } from './synthetic';
import { uploadTimings } from './uploads';

const READ_CHUNK_BYTES = 16 * 1024 * 1024;

/** A merge that is measured. */
export interface Case {
  readonly title: string;
  readonly method: Method;
  readonly parameters: TensorParameters;
}
function parametersAt(density: readonly number[]): TensorParameters {
  return { weight: [1, 1], density, lambda: 1, normalize: true, rescale: false };
}
const TIES: readonly Case[] = [
  { title: 'whole merge at (0.2, 1)', method: 'ties', parameters: parametersAt([0.2, 1]) },
  { title: 'whole merge at (0.2, 0.2)', method: 'ties', parameters: parametersAt([0.2, 0.2]) },
];
const WITH_SLACK: TensorParameters = { ...parametersAt([0.2, 1]), slack: { s: 0.04, of: 'retained', prefer: 0 } };
/** Every path of the CPU backend. */
export const CASES: readonly Case[] = [
  ...TIES,
  { title: 'TIES-SV at (0.2, 1), 4 %', method: 'ties_sv', parameters: WITH_SLACK },
  { title: 'task arithmetic', method: 'task_arithmetic', parameters: { ...parametersAt([1, 1]), normalize: false } },
  { title: 'linear', method: 'linear', parameters: parametersAt([1, 1]) },
];

/** The tensor as one group, in as many chunks as the backend's budget asks for. */
function groupFor(backend: Backend, method: Method, elements: number): Group {
  // Three inputs and the output are on the device at once, two bytes a value.
  const perChunk = Math.min(elements, Math.floor(backend.chunkBytes / 8 / COLUMNS) * COLUMNS);
  const chunks = Array.from({ length: Math.ceil(elements / perChunk) }, (_, i) => [
    { slot: 0, first: i * perChunk, count: Math.min(perChunk, elements - i * perChunk), present: [true, true, true] },
  ]);
  const slot = {
    name: `synthetic ${elements / COLUMNS} x ${COLUMNS}`,
    elements: elements,
    inputs: ['BF16', 'BF16', 'BF16'] as const,
    modelElements: [elements, elements],
    outDtype: 'BF16' as const,
  };
  return { method, slots: [slot], chunks };
}

/** What the browser itself needs to bring the bytes of three files into memory: the bar for speed. */
async function rawRead(family: readonly Uint8Array<ArrayBuffer>[]): Promise<Measurement> {
  const blobs = family.map((bytes) => new Blob([bytes]));
  const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
  return measure('read, Blob slices of 16 MiB', total, 5, async () => {
    for (const blob of blobs) {
      for (let at = 0; at < blob.size; at += READ_CHUNK_BYTES) await blob.slice(at, at + READ_CHUNK_BYTES).arrayBuffer();
    }
  });
}

/** One case on one backend, inputs in memory. */
export function mergeOf(backend: Backend, { method, parameters }: Case, family: readonly Uint8Array<ArrayBuffer>[]): () => Promise<void> {
  const group = groupFor(backend, method, family[0]!.byteLength / 2);
  return async () => {
    await backend.merge(
      group,
      [parameters],
      async ({ first, count }, input) => family[input]!.slice(first * 2, (first + count) * 2),
      async () => {},
    );
  };
}

async function whole(backend: Backend, name: string, family: readonly Uint8Array<ArrayBuffer>[], repetitions: number): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const one of TIES) {
    rows.push(await measure(`${name}, ${one.title}`, family.length * family[0]!.byteLength, repetitions, mergeOf(backend, one, family)));
  }
  return rows;
}

/** What one merge adds to the engine's ledger. */
async function counts(engine: WebGpuBackend, one: Case, family: readonly Uint8Array<ArrayBuffer>[]): Promise<Counted> {
  const before = engine.ledger();
  await mergeOf(engine, one, family)();
  const after = engine.ledger();
  return {
    title: one.title,
    readings: after.inputBytes.map((bytes, input) => (bytes - (before.inputBytes[input] ?? 0)) / family[input]!.byteLength),
    submissions: after.submissions - before.submissions,
    missed: after.brackets.missed - before.brackets.missed,
  };
}

/** `rows` of COLUMNS values each; a slow adapter is spared the rest. */
export async function measureTensor(gpu: GPU, rows: number): Promise<Report> {
  const family = syntheticFamily(rows);
  const elements = rows * COLUMNS;
  const measurements = [await rawRead(family)];

  const cpu = createCpuBackend();
  measurements.push(...(await whole(cpu, 'CPU backend, one thread', family, 3)));
  cpu.dispose();

  // As the studio does, so that a software adapter is given what it is given there.
  const { device, label, software } = await requestStudioDevice(gpu);
  const engine = await createWebGpuBackend(device, { software });
  measurements.push(...(await passTimings(device, groupFor(engine, 'ties_sv', elements), WITH_SLACK, family, software)));
  measurements.push(...(await whole(engine, 'engine', family, 3)));
  const counted: Counted[] = [];
  for (const one of TIES) counted.push(await counts(engine, one, family));
  const { rows: several, idle } = await severalTimings(device, engine, (values) => groupFor(engine, TIES[0]!.method, values), TIES[0]!.parameters);
  measurements.push(...several);
  engine.dispose();
  measurements.push(...(await uploadTimings(device)));
  return { adapter: label, elements, measurements, counted, idle, inputReadings: Math.max(...counted[0]!.readings) };
}
