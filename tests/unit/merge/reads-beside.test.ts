/**
 * Reads that are not of a merge of its own: those that the recipes of a batch share, and those of a verification. Short of memory
 * once they are tried again (faults.md B), and cancelling does not wait for one that never settles.
 */
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import type { ByteSource } from '../../../src/bytes/source';
import { Watchdog } from '../../../src/bytes/watchdog';
import { createCpuBackend } from '../../../src/cpu/backend';
import { runBatch } from '../../../src/merge/batch';
import type { BatchItem } from '../../../src/merge/batch-progress';
import { planBatch } from '../../../src/merge/batch-plan';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { OpenShard } from '../../../src/merge/reading';
import { runMerge } from '../../../src/merge/run';
import { SharedReads } from '../../../src/merge/shared-reads';
import { verifyPlan } from '../../../src/merge/verify';
import { FAST } from '../test-time';
import { familyOf, openFamily, recipeOf } from './family';
import type { Family } from './family';
import { FaultySources } from './faulty-sources';
import { MemoryFolder, MemoryFolders } from './memory-folder';

/** Two groups that are read once for both recipes, integers that are compared and copied. */
const TENSORS = { a: [40, 8], b: [60, 8], steps: { shape: [9], dtype: 'I32' as const } };
const STEPS = { ...TENSORS.steps, values: Array.from({ length: 36 }, (_, i) => i % 4) };
const LIMITS = { chunkBytes: 2000, shardBytes: 1e9, readAheadBytes: 3000 };
const HOLD = 2 ** 20;

const family = () => familyOf({ base: { ...TENSORS, steps: STEPS }, x: { ...TENSORS, steps: STEPS } });
const planOf = (of: Family, density = 0.5) => planMerge(of.checkpoints, { ...recipeOf(of, 'ties', 'base', ['x']), models: [{ model: of.id('x'), weight: 1, density }] }, DEFAULT_CHOICES, LIMITS, {});
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function batchOf(of: Family) {
  const items: BatchItem[] = [0.2, 0.7].map((density) => ({ folder: `d${density}`, plan: planOf(of, density), extras: [] }));
  const batch = planBatch(items.map(({ plan }) => plan), { holdBytes: HOLD });
  expect(batch.waves).toHaveLength(1);
  return async (openShard: OpenShard, signal?: AbortSignal) => {
    const out = new MemoryFolders();
    const hooks = { holdBytes: HOLD, readAheadBytes: LIMITS.readAheadBytes, watchdog: new Watchdog(FAST), ...(signal ? { signal } : {}) };
    const error: unknown = await runBatch(items, batch, createCpuBackend(), openShard, out, hooks).then(({ stopped }) => stopped, (thrown: unknown) => thrown);
    return { error, files: [...out.inner].map(([name, { files }]) => [name, ...[...files].map(([file, bytes]) => `${file} ${Buffer.from(bytes).toString('base64')}`)]) };
  };
}

/** Operations until the sources are opened again, `openings` having been made: what is looked at then is not tried twice. */
const firstLook = ({ operations }: FaultySources, openings: number) => operations.slice(0, operations.flatMap((what, n) => (what.startsWith('open') ? [n] : []))[openings]);
const readsIn = (operations: readonly string[]) => operations.flatMap((what, n) => (what.startsWith('read') ? [n] : []));

/** Cancels at a read that never settles; resolves to the milliseconds of the watchdog's time until it has ended, and how. */
async function cancelled<T>(start: (openShard: OpenShard, signal: AbortSignal) => Promise<T>, of: Family, n: number): Promise<{ ms: number; ended: T }> {
  const faulty = new FaultySources(of, 'never', n);
  const stopping = new AbortController();
  const running = start(faulty.openShard, stopping.signal);
  while (faulty.failed === null) await turn();
  const since = FAST.now();
  stopping.abort();
  const ended = await running;
  expect(faulty.pending).toBe(1);
  return { ms: FAST.now() - since, ended };
}
/** Far from the minute that a read may take. */
const SOON = 20_000;

describe('what several merges share', () => {
  it('is read again where memory was short for it once, whichever read it was', async () => {
    const of = await family();
    const run = await batchOf(of);
    const whole = new FaultySources(of);
    const clean = await run(whole.openShard);
    expect(clean.error).toBeNull();
    // Two files: for each run, and for what they share. Integers of both, then two reads of the one group and one of the other.
    const reads = readsIn(firstLook(whole, 6));
    expect(reads).toHaveLength(8);
    for (const n of reads) expect(await run(new FaultySources(of, 'memory', n).openShard), whole.operations[n]).toEqual(clean);
  });

  it('is not waited for by a batch that is cancelled', async () => {
    const of = await family();
    const run = await batchOf(of);
    const whole = new FaultySources(of);
    await run(whole.openShard);
    for (const n of readsIn(firstLook(whole, 6))) {
      const { ms, ended } = await cancelled(run, of, n);
      expect(ended.error, whole.operations[n]).toBeInstanceOf(CancelledError);
      expect(ms, whole.operations[n]).toBeLessThan(SOON);
    }
  });

  it('is not kept where reading it failed, nor counted', async () => {
    let asked = 0;
    const source: ByteSource = {
      name: 's',
      size: 100,
      read: async (begin, end) => {
        if (asked++ === 0) throw new RangeError('Array buffer allocation failed');
        return new Uint8Array(end - begin).fill(asked);
      },
    };
    const shared = new SharedReads(async () => source, 60);
    const [one, other] = await Promise.all([shared.openShard('a', 0), shared.openShard('a', 0)]);
    expect((await Promise.allSettled([one.read(0, 60), other.read(0, 60)])).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    // All that may be kept: there is room for it again.
    expect([(await one.read(0, 60))[0], (await other.read(0, 60))[0], asked]).toEqual([2, 2, 2]);
  });
});

describe('verifying', () => {
  async function merged() {
    const sources = await family();
    const out = new MemoryFolder();
    await runMerge(planOf(sources), createCpuBackend(), sources.openShard, out, {});
    const contents = new Map(['base/model.safetensors', 'x/model.safetensors'].map((path) => [path, sources.bytesOf(path)]));
    contents.set('merged/model.safetensors', out.files.get('model.safetensors')!);
    const of = await openFamily(contents);
    const plan = planOf(of);
    const verify = (openShard: OpenShard, signal?: AbortSignal) =>
      verifyPlan(plan, of.checkpoints.find(({ name }) => name === 'merged')!, createCpuBackend(), openShard, { readAheadBytes: LIMITS.readAheadBytes, watchdog: new Watchdog(FAST), ...(signal ? { signal } : {}) });
    const whole = new FaultySources(of);
    const clean = await verify(whole.openShard);
    expect([clean.same, clean.differing]).toEqual([3, 0]);
    return { of, verify, clean, operations: whole.operations, reads: readsIn(whole.operations) };
  }

  it('reads again where memory was short once, whichever read it was', async () => {
    const { of, verify, clean, operations, reads } = await merged();
    expect(new Set(reads.map((n) => operations[n]!.split('/')[0]))).toEqual(new Set(['read base', 'read x', 'read merged']));
    for (const n of reads) expect(await verify(new FaultySources(of, 'memory', n).openShard), operations[n]).toEqual(clean);
  });

  it('does not wait for a read that never settles when it is cancelled', async () => {
    const { of, verify, operations, reads } = await merged();
    for (const n of reads) {
      const { ms, ended } = await cancelled((openShard, signal) => verify(openShard, signal).catch((error: unknown) => error), of, n);
      expect(ended, operations[n]).toBeInstanceOf(CancelledError);
      expect(ms, operations[n]).toBeLessThan(SOON);
    }
  });
});
