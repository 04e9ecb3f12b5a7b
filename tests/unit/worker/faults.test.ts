/** What a merge and exploring do when the device, its memory or a source fails under them (faults.md 21, 29 to 32). */
import { beforeAll, describe, expect, it } from 'vitest';
import { DeviceLostError, OutOfMemoryError } from '../../../src/bytes/errors';
import type { Backend, Group, ReadSegment, WriteSegment } from '../../../src/merge/backend';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { FakeFileHandle, FakeFolder } from '../files/fakes';
import { Q, familyFiles, openFamily } from './family';

const lost = () => new DeviceLostError('lost', 'the device was lost');

/** The reference posing as a device: `fail` is called with every operation and throws to end it. */
function gpu(fail: (operation: 'merge' | 'write' | 'end' | 'hold' | 'evaluate') => void): Backend {
  const inner = createReferenceBackend();
  return {
    ...inner,
    info: { kind: 'webgpu', label: 'fake device', software: false, arithmetic: 'guarded' },
    merge: async (group: Group, parameters, read: ReadSegment, write: WriteSegment, options) => {
      fail('merge');
      const result = await inner.merge(group, parameters, read, async (segment, bytes) => {
        fail('write');
        await write(segment, bytes);
      }, options);
      fail('end');
      return result;
    },
    hold: async (group, read) => {
      const held = await inner.hold(group, read);
      fail('hold');
      return { ...held, evaluate: async (parameters, signal) => (fail('evaluate'), held.evaluate(parameters, signal)) };
    },
  };
}

/** A factory whose nth device fails as `plans[n]` says; no device after the last. */
const devices = (plans: readonly ((operation: string) => void)[]) => {
  let next = 0;
  return {
    webgpu: async () => {
      const fail = plans[next++];
      if (!fail) throw new Error('no adapter');
      return { backend: gpu(fail), selfTest: [] };
    },
  };
};
/** Throws `error` at the nth `operation`, from 0. */
const failing = (operation: string, nth: number, error: () => Error) => {
  let seen = 0;
  return (each: string) => {
    if (each === operation && seen++ === nth) throw error();
  };
};

/** One set of files for all runs: their times are in the metadata, by the checkpoints' ids. */
const FILES = familyFiles();
let clean: Uint8Array;
beforeAll(async () => {
  const { merge, out } = await openFamily({}, FILES);
  await merge();
  clean = out.files.get('model.safetensors')!.bytes;
});

describe('a device lost during a merge', () => {
  it.each(['merge', 'write', 'end'])('at any %s: what is written is what an undisturbed merge writes', async (operation) => {
    let failed = true;
    for (let nth = 0; failed; nth++) {
      failed = false;
      const fail = failing(operation, nth, () => ((failed = true), lost()));
      const { merge, out, events } = await openFamily(devices([fail, () => {}]), FILES);
      const summary = await merge();
      expect(Buffer.from(out.files.get('model.safetensors')!.bytes).equals(Buffer.from(clean))).toBe(true);
      expect(summary.verified).toBe(3);
      const reports = events.filter(({ event }) => event === 'backend').length;
      expect(reports).toBe(failed ? 1 : 0);
      if (nth === 0) expect(failed).toBe(true);
    }
  });

  it('twice: the CPU finishes it, and the page is told why', async () => {
    const fail = () => failing('write', 0, lost);
    const { merge, out, events } = await openFamily(devices([fail(), fail()]), FILES);
    const summary = await merge();
    expect(Buffer.from(out.files.get('model.safetensors')!.bytes).equals(Buffer.from(clean))).toBe(true);
    expect(summary.backend.kind).toBe('cpu');
    const reports = events.flatMap((event) => (event.event === 'backend' ? [event.report] : []));
    expect(reports.map(({ info, gpuProblem }) => [info.kind, gpuProblem?.code ?? null])).toEqual([['webgpu', null], ['cpu', 'device-lost']]);
  });

  it('any other failure of the backend stops it and leaves nothing', async () => {
    const { merge, out } = await openFamily(devices([failing('write', 1, () => new OutOfMemoryError('device', 'm'))]));
    await expect(merge()).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(out.files.size).toBe(0);
  });
});

describe('exploring', () => {
  const explore = ({ request, recipe }: Awaited<ReturnType<typeof openFamily>>, density = 0.5) =>
    request('explore', { recipe: { ...recipe, models: recipe.models.map((model) => ({ ...model, density })) }, choices: DEFAULT_CHOICES });
  const keptOf = ({ tensors }: Awaited<ReturnType<typeof explore>>) => tensors.find(({ tensor }) => tensor === Q)!.figures.kept;

  it.each(['hold', 'evaluate'])('a device lost at %s: answered by the next one', async (operation) => {
    const session = await openFamily(devices([failing(operation, 0, lost), () => {}]));
    expect(keptOf(await explore(session))).toEqual([4, 4]);
  });

  it('a sample that does not fit is drawn again, half as large', async () => {
    const session = await openFamily(devices([failing('hold', 0, () => new OutOfMemoryError('device', 'm'))]));
    const answer = await explore(session);
    // 10 values of three inputs in F32 take 120 bytes. Two blocks of an even number of values are the least of a tensor that is not whole.
    expect([answer.sample.values, keptOf(answer)]).toEqual([6, [2, 2]]);
  });

  it.each(['hold', 'evaluate'])('one that never fits at %s is no endless search: the CPU answers, and the page is told why', async (wanted) => {
    const fail = (operation: string) => {
      if (operation === wanted) throw new OutOfMemoryError('device-memory', 'm', { actual: 7, expected: 9 });
    };
    const session = await openFamily(devices([fail]));
    expect(keptOf(await explore(session))).toEqual([4, 4]);
    const reports = session.events.flatMap((event) => (event.event === 'backend' ? [event.report] : []));
    expect(reports.at(-1)).toMatchObject({ info: { kind: 'cpu' }, why: 'no-room', gpuProblem: { code: 'out-of-memory', reason: 'device-left', where: { actual: 7, expected: 9 } } });
  });

  it('reads the sample once, whatever changes of the parameters, and again for other models', async () => {
    let holds = 0;
    const session = await openFamily(devices([(operation) => void (holds += operation === 'hold' ? 1 : 0)]));
    for (const density of [0.25, 0.5, 1]) expect(keptOf(await explore(session, density))).toEqual([8 * density, 8 * density]);
    expect(holds).toBe(1);
    const { request, recipe } = session;
    await request('explore', { recipe: { ...recipe, models: recipe.models.slice(0, 1) }, choices: DEFAULT_CHOICES });
    expect(holds).toBe(2);
  });

  it('choosing another backend holds the sample there', async () => {
    let evaluations = 0;
    const session = await openFamily(devices([(operation) => void (evaluations += operation === 'evaluate' ? 1 : 0)]));
    expect((await session.request('start', { choice: 'auto' })).info.kind).toBe('webgpu');
    await explore(session);
    expect((await session.request('start', { choice: 'cpu' })).info.kind).toBe('cpu');
    expect(keptOf(await explore(session))).toEqual([4, 4]);
    expect(evaluations).toBe(1);
  });

  it('is possible during a merge', async () => {
    const session = await openFamily();
    const [summary, figures] = await Promise.all([session.merge(), explore(session)]);
    expect([summary.verified, keptOf(figures)]).toEqual([3, [4, 4]]);
  });
});

describe('a source that changes', () => {
  async function openHandles() {
    const disk = new FakeFolder('disk');
    const files = await Promise.all(
      familyFiles().map(async ({ path, handle }) => {
        const file = handle as File;
        disk.files.set(path, { bytes: new Uint8Array(await file.arrayBuffer()), modified: file.lastModified });
        return { path, handle: new FakeFileHandle(disk, path) };
      }),
    );
    return { disk, ...(await openFamily({}, files)) };
  }

  it('before a merge opens it: named, and nothing is left', async () => {
    const { disk, merge, out } = await openHandles();
    const file = disk.files.get('sft/model.safetensors')!;
    disk.files.set('sft/model.safetensors', { ...file, modified: file.modified + 1 });
    await expect(merge()).rejects.toMatchObject({ code: 'source-changed', reason: 'changed', where: { file: 'sft/model.safetensors' } });
    expect(out.files.size).toBe(0);
    disk.files.delete('sft/model.safetensors');
    await expect(merge()).rejects.toMatchObject({ code: 'source-changed', reason: 'vanished', where: { file: 'sft/model.safetensors' } });
  });

  it('exploring says so too, and answers again once the file is as it was', async () => {
    const { disk, request, recipe } = await openHandles();
    const file = disk.files.get('ct/model.safetensors')!;
    disk.files.delete('ct/model.safetensors');
    const explore = () => request('explore', { recipe, choices: DEFAULT_CHOICES });
    await expect(explore()).rejects.toMatchObject({ code: 'source-changed', reason: 'vanished', where: { file: 'ct/model.safetensors' } });
    disk.files.set('ct/model.safetensors', file);
    expect((await explore()).tensors).toHaveLength(2);
  });
});
