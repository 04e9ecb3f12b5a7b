/**
 * Every operation of a merge fails in turn, in every way it can, until a run is clean: the way SQLite tests I/O (faults.md B, last
 * paragraph; rows 21 to 23 and 36). After each: the sources are as they were, nothing of a final name and nothing open is left,
 * nothing is still asked for, the error says where, and the same run without the fault gives the same bytes.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { BufferRing } from '../../../src/bytes/buffer-ring';
import { StudioError } from '../../../src/bytes/errors';
import { Watchdog } from '../../../src/bytes/watchdog';
import type { Backend } from '../../../src/merge/backend';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { MergePlan } from '../../../src/merge/plan-types';
import type { OpenShard } from '../../../src/merge/reading';
import { runMerge } from '../../../src/merge/run';
import type { RunHooks } from '../../../src/merge/run-types';
import type { Recipe } from '../../../src/recipe/types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { recomputeSpots } from '../../../src/reference/spots';
import { FAST } from '../test-time';
import { DIGESTS_IN_ORDER } from './digests-in-order';
import { familyOf, openFamily, recipeOf } from './family';
import type { Family } from './family';
import { FaultySources, overwritten } from './faulty-sources';
import type { Fault } from './faulty-sources';
import { MemoryFolder } from './memory-folder';

/** `b` in two chunks, the head with rows that only x has, which are copied; two files of base. */
const BASE = [{ a: [50], d: [30] }, { b: [300], 'lm_head.weight': { shape: [6, 4] } }] as const;
const X = { a: [50], b: [300], 'lm_head.weight': { shape: [8, 4] }, d: [30] };
const reference = createReferenceBackend();
let family: Family;
let sources: Map<string, Buffer>;
const PATHS = ['base/model-00001-of-00002.safetensors', 'base/model-00002-of-00002.safetensors', 'x/model.safetensors'];

beforeAll(async () => {
  family = await familyOf({ base: BASE, x: X });
  sources = new Map(PATHS.map((path) => [path, Buffer.from(family.bytesOf(path))]));
});

const [ONE, SHARDS, RANKED, LENT] = ['one shard', 'shards', 'ranked over the model', 'read into buffers that go round'] as const;
interface Layout {
  readonly shardBytes: number;
  readonly recipe: Partial<Recipe>;
  readonly isLent?: boolean;
}
const LAYOUTS = {
  [LENT]: { shardBytes: 200, recipe: {}, isLent: true },
  [ONE]: { shardBytes: 1e9, recipe: {} },
  [SHARDS]: { shardBytes: 200, recipe: {} },
  [RANKED]: { shardBytes: 1e9, recipe: { scope: { trim: 'model', slack: 'tensor' } } },
} satisfies Record<string, Layout>;

function planOf({ shardBytes, recipe }: Layout, of: Family = family): MergePlan {
  const choices = { ...DEFAULT_CHOICES, extraRows: { from: of.id('x') } };
  const plan = planMerge(of.checkpoints, recipeOf(of, 'ties', 'base', ['x'], recipe), choices, { chunkBytes: 700, shardBytes, readAheadBytes: 1000 }, {});
  expect(plan.refusals).toEqual([]);
  return plan;
}

interface Ended {
  readonly folder: MemoryFolder;
  readonly error: StudioError | null;
}
async function run(plan: MergePlan, openShard: OpenShard, folder = new MemoryFolder(), backend: Backend = reference, hooks: RunHooks = {}): Promise<Ended> {
  const over = new Watchdog(FAST);
  const error: unknown = await runMerge(plan, backend, openShard, folder, { pieceBytes: 100, hashing: DIGESTS_IN_ORDER, readAheadBytes: 1000, recompute: recomputeSpots, watchdog: over, ...hooks }).then(() => null, (thrown: unknown) => thrown);
  if (error !== null) expect(error).toBeInstanceOf(StudioError);
  return { folder, error: error as StudioError | null };
}
/** Gives every buffer back that it was lent, filled with other values, before the next is read. */
function lending(): Backend & { readonly buffers: BufferRing } {
  const buffers = new BufferRing(1e6, 1);
  const merge: Backend['merge'] = (group, parameters, read, write, options) => {
    const own: typeof read = async (segment, input) => {
      const bytes = await read(segment, input);
      const copy = bytes.slice();
      if (buffers.isWhole(bytes)) bytes.fill(0x55);
      buffers.giveBack(bytes);
      return copy;
    };
    return reference.merge(group, parameters, own, write, options);
  };
  return Object.create(reference, { merge: { value: merge }, buffers: { value: buffers } }) as Backend & { readonly buffers: BufferRing };
}
const bytesIn = (folder: MemoryFolder) => new Map([...folder.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));

/** What holds after a run that failed, and that the same run in the same folder then gives `clean`. */
async function expectNothingLost(plan: MergePlan, { folder }: Ended, clean: ReadonlyMap<string, string>, what: string): Promise<void> {
  expect([[...folder.files.keys()], [...folder.unfinished]], what).toEqual([[], []]);
  for (const [path, bytes] of sources) expect(Buffer.from(family.bytesOf(path)).equals(bytes), `${what}: ${path}`).toBe(true);
  folder.before = () => {};
  const again = await run(plan, family.openShard, folder);
  expect(again.error, what).toBeNull();
  expect(bytesIn(folder), what).toEqual(clean);
}

type Look = (ended: Ended, faulty: FaultySources, clean: ReadonlyMap<string, string>, what: string) => Promise<void>;

/** Runs with the fault at operation 0, 1, 2, ... until it no longer comes to it; resolves to how many there were. */
async function inTurn(layout: Layout, fault: Fault, look: Look): Promise<number> {
  const plan = planOf(layout);
  const clean = bytesIn((await run(plan, family.openShard)).folder);
  for (let n = 0; ; n++) {
    const faulty = new FaultySources(family, fault, n);
    const backend = layout.isLent ? lending() : reference;
    const ended = await run(plan, faulty.openShard, new MemoryFolder(), backend);
    if (faulty.failed === null) {
      if (layout.isLent) expect(backend.buffers!.reused).toBeGreaterThan(0);
      expect([ended.error, bytesIn(ended.folder)]).toEqual([null, clean]);
      return n;
    }
    await look(ended, faulty, clean, `${fault} at ${n}: ${faulty.operations[n]!}`);
    if (ended.error) await expectNothingLost(plan, ended, clean, `${fault} at ${n}`);
  }
}
/** Openings and reads of the merge, and as many openings and reads when the sources are looked at again. */
const LEAST = 2 * (3 + 5);

async function expectStopped(layout: Layout, fault: 'error' | 'never' | 'short'): Promise<void> {
  const count = await inTurn(layout, fault, async ({ error }, faulty, _, what) => {
    const { file, offset } = faulty.failed!;
    // An opening cannot be short.
    if (fault === 'short' && offset === null) return expect(error, what).toBeNull();
    expect(error, what).toMatchObject({ code: 'source-changed', reason: { error: 'unreadable', never: 'stalled', short: 'size-changed' }[fault] });
    if (offset !== null) expect(error!.where, what).toMatchObject({ file, offset });
    expect(faulty.pending, what).toBe(fault === 'never' ? 1 : 0);
  });
  expect(count).toBeGreaterThanOrEqual(LEAST);
}

async function expectFoundOrConsistent(layout: Layout): Promise<void> {
  let found = 0;
  await inTurn(layout, 'changed', async ({ error, folder }, faulty, clean, what) => {
    const { file } = faulty.failed!;
    if (error) {
      expect(error, what).toMatchObject({ reason: 'changed-during', where: { file } });
      found++;
      return;
    }
    // Before its first read: the whole merge is of the new values. At the very end: nothing of it is read any more.
    const other = await openFamily(new Map(PATHS.map((path) => [path, path === file ? writtenOver(path) : family.bytesOf(path)])));
    const expected = bytesIn((await run(planOf(layout, other), other.openShard)).folder);
    expect([weights(expected), weights(clean)].map((one) => JSON.stringify(one)), what).toContain(JSON.stringify(weights(bytesIn(folder))));
  });
  expect(found).toBeGreaterThan(4);
}

describe('every opening and read', () => {
  // A ranking reads everything five times, in the same way each time: what goes the same way as in a merge is left to the others.
  it.each([
    [ONE, 'error'],
    [ONE, 'never'],
    [ONE, 'short'],
    [SHARDS, 'error'],
    [SHARDS, 'never'],
    [RANKED, 'error'],
    [LENT, 'error'],
    [LENT, 'never'],
  ] as const)('%s: that fails (%s) ends the run with the file and the place', (layout, fault) => expectStopped(LAYOUTS[layout], fault));

  it.each([ONE, SHARDS, RANKED, LENT] as const)('%s: after which the file holds other values: found, or the merge is of that file as it is now', (layout) => expectFoundOrConsistent(LAYOUTS[layout]));

  it.each([ONE, LENT] as const)('%s: for which there is no memory, once: tried again with less read ahead; again and again: both numbers', async (layout) => {
    await inTurn(LAYOUTS[layout], 'memory', async ({ error, folder }, faulty, clean, what) => {
      if (faulty.failed!.offset === null) return;
      // What is looked at again at the end is not tried twice.
      if (error) return expect(error, what).toMatchObject({ code: 'out-of-memory' });
      expect(bytesIn(folder), what).toEqual(clean);
    });
    let numbers = 0;
    await inTurn(LAYOUTS[layout], 'no-memory', async ({ error }, faulty, _, what) => {
      const { file, offset } = faulty.failed!;
      if (offset === null) return;
      expect(error, what).toMatchObject({ code: 'out-of-memory', reason: 'host-memory', where: { file } });
      if (error!.where.actual === 500) numbers++;
    });
    expect(numbers).toBeGreaterThan(4);
  });
});

it('what lies idle is let go before the second try: it may be all there was', async () => {
  const backend = lending();
  const clear = vi.spyOn(backend.buffers, 'clear');
  const ended = await run(planOf(LAYOUTS[LENT]), new FaultySources(family, 'memory', 6).openShard, new MemoryFolder(), backend);
  expect(ended.error).toBeNull();
  // Then, and at the end.
  expect(clear).toHaveBeenCalledTimes(2);
});

/** The file's header kept, its values written over. */
function writtenOver(path: string): Uint8Array<ArrayBuffer> {
  const bytes = family.bytesOf(path).slice();
  const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const all = overwritten(bytes);
  all.set(bytes.subarray(0, header));
  return all;
}
/** Without the metadata, which names the sources by what they held when they were opened. */
const weights = (files: ReadonlyMap<string, string>) => [...files].filter(([name]) => name.endsWith('.safetensors'));

describe('reading again what was written', () => {
  it('that never settles ends the run, which removes the export, at whichever read', async () => {
    const plan = planOf(LAYOUTS[SHARDS]);
    const whole = new MemoryFolder();
    await run(plan, family.openShard, whole);
    const clean = bytesIn(whole);
    const reads = whole.operations.filter((what) => what.startsWith('read')).length;
    expect(reads).toBeGreaterThan(4);
    for (let n = 0; n < reads; n++) {
      const folder = new MemoryFolder();
      const open = folder.open.bind(folder);
      let next = 0;
      folder.open = async (name) => {
        const source = await open(name);
        return { name, size: source.size, read: (begin, end) => (next++ === n ? new Promise(() => {}) : source.read(begin, end)) };
      };
      const ended = await run(plan, family.openShard, folder);
      folder.open = open;
      expect(ended.error, `${n}`).toMatchObject({ code: 'destination', reason: 'stalled' });
      await expectNothingLost(plan, ended, clean, `read ${n}`);
    }
  });
});

describe('a cancelled run', () => {
  it('does not wait for a read that never settles', async () => {
    const plan = planOf(LAYOUTS[ONE]);
    const stopping = new AbortController();
    const faulty = new FaultySources(family, 'never', 4);
    const ended = run(plan, faulty.openShard, new MemoryFolder(), reference, { signal: stopping.signal });
    await new Promise((resolve) => setImmediate(resolve));
    stopping.abort();
    expect((await ended).error).toMatchObject({ code: 'cancelled' });
    expect(faulty.pending).toBe(1);
  });
});
