/** Workers that end without a word while they have a part of the work: it is done again, and nothing waits for ever (faults.md B 39). */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pieceDigest } from '../../../src/bytes/piece-digest';
import { MemorySource } from '../../../src/bytes/source';
import { createCpuBackend } from '../../../src/cpu/backend';
import { spawnCpuWorker } from '../../../src/worker/cpu-workers';
import { spawnHashWorker } from '../../../src/worker/hash-workers';
import { HashWorkers } from '../../../src/worker/hashing';
import { expectSameResult } from '../../conformance/compare';
import { makeGroup, mergeGroup, readerOf } from '../../conformance/harness';
import { trainedSlot } from '../../conformance/scenarios';

const spawned: Worker[] = [];
const { Worker: RealWorker } = globalThis;
beforeEach(() => {
  spawned.length = 0;
  globalThis.Worker = class extends RealWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      spawned.push(this);
    }
  };
});
afterEach(() => {
  globalThis.Worker = RealWorker;
});

const PARAMETERS = { weight: [1, 1], density: [0.2, 0.7], lambda: 1, normalize: true, rescale: false } as const;

it('a worker of the pool ended from outside: the group is merged on this thread, with the same bytes', async () => {
  const slot = trainedSlot('t', 40_000, ['BF16', 'BF16', 'BF16'], 'BF16', PARAMETERS);
  const group = makeGroup('ties', [slot], [0, 1, 2, 3].map((i) => [{ slot: 0, first: i * 10_000, end: (i + 1) * 10_000 }]));
  const expected = await mergeGroup(createCpuBackend(), group, [slot]);
  const backend = createCpuBackend({ workers: 2, spawn: spawnCpuWorker, leastPooled: 0 });
  // Both have answered, so both hold their names.
  expect((await mergeGroup(backend, group, [slot])).outputs).toEqual(expected.outputs);
  expect(spawned).toHaveLength(2);
  const read = readerOf([slot]);
  let reads = 0;
  const parts: Uint8Array[] = [];
  const result = await backend.merge(group, [slot.parameters], (segment, input) => {
    // Terminated: no event tells of it, and what it was asked for is never answered.
    if (++reads === 3) spawned[1]!.terminate();
    return read(segment, input);
  }, async (_, bytes) => void parts.push(bytes.slice()));
  expectSameResult(result, expected.result);
  expect(parts.flatMap((part) => [...part])).toEqual([...expected.outputs[0]!]);
  expect(backend.info.label).toMatch(/^CPU, one thread/);
  backend.dispose();
});

it('a worker that hashes, ended from outside: what is asked of it for a file rejects, a new one serves the next, and a piece is hashed here', async () => {
  const hashing = new HashWorkers(1, spawnHashWorker);
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  const source = new MemorySource('f', bytes);
  const first = hashing.file();
  await first.update(await source.read(0, 50_000));
  // It has answered, so it holds its name.
  await first.update(await source.read(50_000, 60_000));
  spawned[0]!.terminate();
  await expect(first.update(await source.read(60_000, 100_000)).then(() => first.hex())).rejects.toMatchObject({ reason: 'hash-worker-died' });
  const second = hashing.file();
  await second.update(bytes.slice());
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  expect(await second.hex()).toBe([...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
  spawned[1]!.terminate();
  expect(await hashing.piece(bytes)).toBe(await pieceDigest(bytes));
  expect(await hashing.piece(bytes.slice(9))).toBe(await pieceDigest(bytes.slice(9)));
  expect(spawned).toHaveLength(3);
});
