/** How a run reads, overlaps, pauses and reports (architecture.md, idea 9). */
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../../src/bytes/source';
import { bytesPerValue } from '../../../src/bytes/dtypes';
import type { Backend, Group, GroupResult } from '../../../src/merge/backend';
import { emptyFigures } from '../../../src/merge/figures';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { MergePlan } from '../../../src/merge/plan-types';
import type { OpenShard } from '../../../src/merge/reading';
import { runMerge } from '../../../src/merge/run';
import type { RunProgress } from '../../../src/merge/progress';
import { createReferenceBackend } from '../../../src/reference/backend';
import { familyOf, recipeOf } from './family';
import type { Family, MadeTensors } from './family';
import { MemoryFolder } from './memory-folder';

const reference = createReferenceBackend();

/** Writes the base's bytes; `on` hears of each group as it comes and before it is done. */
function copyingBackend(on: (event: 'begin' | 'end', group: Group) => void = () => {}, readings = 1): Backend {
  return {
    ...reference,
    merge: async (group, _, read, write): Promise<GroupResult> => {
      on('begin', group);
      for (const segment of group.chunks.flat()) {
        let bytes = new Uint8Array(0);
        for (let i = 0; i < readings; i++) bytes = await read(segment, 0);
        for (let input = 1; input < segment.present.length; input++) if (segment.present[input]) await read(segment, input);
        expect(bytes.length).toBe(segment.count * bytesPerValue(group.slots[segment.slot]!.inputs[0]!));
        await write(segment, bytes);
      }
      // What is read ahead must not need this group to end.
      await new Promise((resolve) => setTimeout(resolve, 20));
      on('end', group);
      const slots = group.slots.map(() => ({ figures: emptyFigures(1), kept: [null], reserved: null }));
      return { slots, segments: [] };
    },
  };
}

async function planned(tensors: MadeTensors | readonly MadeTensors[], chunkBytes: number, shardBytes = 1e9): Promise<{ family: Family; plan: MergePlan }> {
  const family = await familyOf({ base: tensors, x: tensors });
  return { family, plan: planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x']), DEFAULT_CHOICES, { chunkBytes, shardBytes }, {}) };
}
const FOUR = { a: [64], b: [64], c: [64], d: [64] };
const nameOf = ({ slots }: Group) => slots.map(({ name }) => name).join('');

describe('reading', () => {
  it('is one read per group and file where the tensors are neighbours', async () => {
    const { family, plan } = await planned(FOUR, 1536);
    await runMerge(plan, copyingBackend(), family.openShard, new MemoryFolder(), {});
    // 128 bytes a tensor; groups abcd at 384 bytes a slot: 4 of them fit 1536.
    const { begin } = family.checkpoints[0]!.tensors[0]!;
    expect(family.reads.map(({ begin: from, end }) => [from - begin, end - begin])).toEqual([[0, 512], [0, 512]]);
    expect(plan.bytesRead).toBe(1024);
  });

  it('is one read per file for every group of two, and per tensor where tensors lie in different files', async () => {
    const two = await planned(FOUR, 768);
    await runMerge(two.plan, copyingBackend(), two.family.openShard, new MemoryFolder(), {});
    expect(two.family.reads.length).toBe(4);
    const apart = await planned([{ a: [64], c: [64] }, { b: [64], d: [64] }], 1536);
    await runMerge(apart.plan, copyingBackend(), apart.family.openShard, new MemoryFolder(), {});
    // Two files of each checkpoint, a and c neighbours in the first, b and d in the second.
    expect(apart.family.reads.length).toBe(4);
  });

  it('counts what a backend reads again, and the total grows with it', async () => {
    const { family, plan } = await planned({ a: [64] }, 1536);
    let last: RunProgress | null = null;
    await runMerge(plan, copyingBackend(undefined, 3), family.openShard, new MemoryFolder(), { onProgress: (progress) => (last = progress) });
    expect(family.reads.reduce((sum, { begin, end }) => sum + end - begin, 0)).toBe(512);
    expect(last).toMatchObject({ bytesRead: 512, bytesReadTotal: 512 });
    expect(plan.bytesRead).toBe(256);
  });

  it('opens a shard once', async () => {
    const { family, plan } = await planned(FOUR, 384);
    const opened: string[] = [];
    const openShard: OpenShard = (id, shard, again) => {
      if (!again) opened.push(`${id} ${shard}`);
      return family.openShard(id, shard);
    };
    await runMerge(plan, copyingBackend(), openShard, new MemoryFolder(), {});
    expect(opened.length).toBe(2);
  });

  it('refuses a source that became shorter, naming both sizes', async () => {
    const { family, plan } = await planned(FOUR, 1536);
    const shorter = async (id: string, shard: number): Promise<ByteSource> => ({ ...(await family.openShard(id, shard)), size: 600 });
    const end = family.checkpoints[0]!.tensors.at(-1)!.end;
    await expect(runMerge(plan, copyingBackend(), shorter, new MemoryFolder(), {})).rejects.toMatchObject({
      code: 'source-changed',
      reason: 'size-changed',
      where: { expected: end, actual: 600 },
    });
  });
});

describe('overlap', () => {
  it('reads the next window of groups while one is computed, and no further', async () => {
    const six = Object.fromEntries([...'abcdef'].map((name) => [name, [64]]));
    const { family, plan } = await planned(six, 384);
    const seen: string[] = [];
    const backend = copyingBackend((event, group) => seen.push(`${event} ${nameOf(group)} after ${family.reads.length} reads`));
    await runMerge(plan, backend, family.openShard, new MemoryFolder(), {});
    expect(seen).toEqual([
      // Two files: 2 reads a window. Windows are a, b and c, then d, e and f; the next one is read once a group of the last has begun.
      expect.stringMatching(/^begin a after [234] reads$/), 'end a after 4 reads',
      expect.stringMatching(/^begin b after [456] reads$/), 'end b after 6 reads',
      'begin c after 6 reads', 'end c after 6 reads',
      'begin d after 6 reads', 'end d after 6 reads', 'begin e after 6 reads', 'end e after 6 reads', 'begin f after 6 reads', 'end f after 6 reads',
    ]);
  });

  it('reads the next stretch of a tensor while one is computed, in every pass, and after the last the next group', async () => {
    // 16 elements a chunk of 96 bytes, 32 bytes of each of two inputs: a is 4 chunks, b one. A stretch is a sixth: two chunks.
    const { family, plan } = await planned({ a: [64], b: [16] }, 96);
    const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
    const seen: number[] = [];
    const twice: Backend = {
      ...reference,
      merge: async (group, _, read, write): Promise<GroupResult> => {
        for (const writes of [false, true]) {
          for (const [segment] of group.chunks) {
            const [bytes] = await Promise.all([read(segment!, 0), read(segment!, 1)]);
            await wait();
            seen.push(family.reads.length);
            if (writes) await write(segment!, bytes);
          }
        }
        return { slots: group.slots.map(() => ({ figures: emptyFigures(1), kept: [null], reserved: null })), segments: [] };
      },
    };
    await runMerge(plan, twice, family.openShard, new MemoryFolder(), { readAheadBytes: 384 });
    // 2 reads a stretch. First pass: both stretches with the first chunk, b with the second stretch. Second pass: both again.
    // Then b, which was read already, and again for its own second pass.
    expect(seen).toEqual([4, 4, 6, 6, 10, 10, 10, 10, 10, 12]);
  });

  it('writes one piece while the next group is computed', async () => {
    const { family, plan } = await planned(FOUR, 384);
    const folder = new MemoryFolder();
    const events: string[] = [];
    folder.before = (_, what) => events.push(what);
    const backend = copyingBackend((event, group) => events.push(`${event} ${nameOf(group)}`));
    await runMerge(plan, backend, family.openShard, folder, { pieceBytes: 128 });
    const place = (what: string) => events.indexOf(what);
    expect(place('write model.safetensors')).toBeLessThan(place('end a'));
    expect(events.filter((what) => what.startsWith('write')).length).toBe(Math.ceil(plan.bytesWritten / 128));
  });
});

describe('pausing', () => {
  it('holds reads, groups and writes until it is let go, and is not counted as time', async () => {
    const { family, plan } = await planned(FOUR, 384);
    const folder = new MemoryFolder();
    let release: () => void = () => {};
    let paused: Promise<void> | null = new Promise((resolve) => (release = resolve));
    let clock = 0;
    const done = runMerge(plan, reference, family.openShard, folder, { now: () => clock, ready: async () => paused ?? undefined });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([family.reads.length, folder.operations]).toEqual([0, ['list']]);
    clock = 5000;
    paused = null;
    release();
    expect(await done).toMatchObject({ seconds: 0, tensors: 4 });
  });
});

describe('a pause', () => {
  it('anywhere in a run stops reading and writing, and changes no byte', async () => {
    const { family, plan } = await planned({ ...FOUR, ids: { shape: [5], dtype: 'I32' } }, 384, 300);
    const settle = () => new Promise((resolve) => setTimeout(resolve, 2));
    const run = async (pausedAt: number) => {
      const folder = new MemoryFolder();
      const touched = () => family.reads.length + folder.operations.length;
      let calls = 0;
      let pause: Promise<void> | null = null;
      const hold = async () => {
        // What was under way when the pause came may end; nothing begins.
        for (let i = 0; i < 3; i++) await settle();
        const before = touched();
        for (let i = 0; i < 3; i++) await settle();
        expect(touched(), `paused at ${pausedAt}`).toBe(before);
      };
      await runMerge(plan, reference, family.openShard, folder, {
        ready: async () => {
          if (calls++ === pausedAt) pause = hold();
          await pause;
        },
      });
      return { calls, files: folder.files };
    };
    const { calls, files } = await run(-1);
    expect(calls).toBeGreaterThan(20);
    for (let n = 0; n < calls; n++) expect((await run(n)).files, `paused at ${n}`).toEqual(files);
  });
});

describe('progress', () => {
  it('only grows and ends with everything', async () => {
    const { family, plan } = await planned({ ...FOUR, ids: { shape: [5], dtype: 'I32' } }, 384, 300);
    const seen: RunProgress[] = [];
    await runMerge(plan, reference, family.openShard, new MemoryFolder(), { pieceBytes: 100, onProgress: (progress) => seen.push(progress) });
    const counters = ['tensorsDone', 'bytesRead', 'bytesWritten', 'bytesVerified', 'readingMs', 'computingMs', 'writingMs', 'elapsedMs'] as const;
    for (const [i, progress] of seen.slice(1).entries()) for (const key of counters) expect(progress[key], key).toBeGreaterThanOrEqual(seen[i]![key]);
    expect(seen.at(-1)).toMatchObject({
      phase: 'verifying',
      tensorsDone: 5,
      tensors: 5,
      bytesRead: plan.bytesRead,
      bytesReadTotal: plan.bytesRead,
      bytesWritten: plan.bytesWritten,
      bytesWrittenTotal: plan.bytesWritten,
      bytesVerified: plan.bytesWritten,
    });
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(['reading', 'finalising', 'verifying']);
    // 4 tensors of 128 bytes from two files; the integers compared (2 x 20) and copied (20).
    expect(plan.bytesRead).toBe(1024 + 60);
  });

  it('says nothing after a run has failed', async () => {
    const { family, plan } = await planned(FOUR, 384);
    const folder = new MemoryFolder();
    folder.before = (_, what) => {
      if (what === 'create model.safetensors') throw new Error('no');
    };
    let calls = 0;
    await expect(runMerge(plan, reference, family.openShard, folder, { onProgress: () => calls++ })).rejects.toMatchObject({ code: 'internal' });
    const then = calls;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(then);
  });
});

describe('a backend that does not keep the contract', () => {
  it.each([
    ['leaves a segment out', (writes: number) => writes !== 1, 'backend-output'],
    ['writes short', () => true, 'backend-output'],
  ] as const)('%s: found before the file is finished', async (title, writesIt, reason) => {
    const { family, plan } = await planned(FOUR, 1536);
    let writes = 0;
    const wrong: Backend = {
      ...reference,
      merge: (group, parameters, read, write, options) =>
        reference.merge(group, parameters, read, async (segment, bytes) => {
          if (writesIt(writes++)) await write(segment, title === 'writes short' ? bytes.subarray(2) : bytes);
        }, options),
    };
    const folder = new MemoryFolder();
    await expect(runMerge(plan, wrong, family.openShard, folder, {})).rejects.toMatchObject({ code: 'internal', reason });
    expect([...folder.files.keys()]).toEqual([]);
  });
});
