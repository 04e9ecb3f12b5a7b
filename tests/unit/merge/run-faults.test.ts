/** A run that is stopped, refused or failed at every operation leaves nothing that looks finished (faults.md B 37 to 42). */
import { describe, expect, it, vi } from 'vitest';
import { StudioError } from '../../../src/bytes/errors';
import type { ErrorCode } from '../../../src/bytes/errors';
import { HASHING_DIED, HASHING_HERE } from '../../../src/bytes/hashing';
import { MemorySource } from '../../../src/bytes/source';
import type { Backend } from '../../../src/merge/backend';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import type { FitChoices } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import type { ExtraFile, RunHooks } from '../../../src/merge/run-types';
import type { Recipe } from '../../../src/recipe/types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { DIGESTS_IN_ORDER } from './digests-in-order';
import { familyOf, recipeOf } from './family';
import type { Family, MadeTensors } from './family';
import { MemoryFolder } from './memory-folder';

const TENSORS: MadeTensors = { a: [200], b: [200], c: [200], ids: { shape: [4], dtype: 'I32' } };
const ONE = { chunkBytes: 700, shardBytes: 1e9 };
const THREE = { chunkBytes: 700, shardBytes: 416 };
const EXTRAS: readonly ExtraFile[] = [
  { name: 'config.json', content: new Uint8Array([123, 125]) },
  { name: 'README.md', content: async (figures) => new MemorySource('card', new Uint8Array([figures.size])) },
];
const INDEX = 'model.safetensors.index.json';
const reference = createReferenceBackend();

interface Setting {
  readonly family: Family;
  readonly run: (folder: MemoryFolder, hooks?: RunHooks, backend?: Backend) => Promise<unknown>;
}
async function setting(limits: typeof ONE, x: MadeTensors = TENSORS, choices: Partial<FitChoices> = {}, recipe: Partial<Recipe> = {}): Promise<Setting> {
  const family = await familyOf({ base: TENSORS, x });
  const plan = planMerge(family.checkpoints, recipeOf(family, 'ties', 'base', ['x'], recipe), { ...DEFAULT_CHOICES, ...choices }, limits, {});
  return {
    family,
    run: (folder, hooks = {}, backend = reference) => runMerge(plan, backend, family.openShard, folder, { extras: EXTRAS, pieceBytes: 300, hashing: DIGESTS_IN_ORDER, ...hooks }),
  };
}

async function failure(promise: Promise<unknown>): Promise<StudioError> {
  const error: unknown = await promise.then(() => null, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StudioError);
  return error as StudioError;
}
const expectNothing = (folder: MemoryFolder, what: string) => {
  expect([...folder.files.keys()], what).toEqual([]);
  expect([...folder.unfinished], what).toEqual([]);
};

describe.each([
  ['one shard', ONE, ['README.md', 'model.safetensors', 'config.json']],
  ['three shards', THREE, ['model-00001-of-00003.safetensors', 'model-00002-of-00003.safetensors', 'model-00003-of-00003.safetensors', 'config.json', 'README.md', INDEX]],
] as const)('%s', (_, limits, order) => {
  it('appear in an order that ends with what makes the folder load', async () => {
    const folder = new MemoryFolder();
    await (await setting(limits)).run(folder);
    expect(folder.operations.filter((what) => what.startsWith('close')).map((what) => what.slice(6))).toEqual(order);
    expect([...folder.files.keys()]).toEqual(order);
    expect([...folder.files.get('README.md')!]).toEqual([3]);
  });

  it('do not load before all else is read again and computed again', async () => {
    const folder = new MemoryFolder();
    const last = order.at(-1)!;
    const read = () => folder.operations.filter((what) => what.startsWith('read ')).map((what) => what.slice(5));
    let atRecheck: string[] | null = null;
    const recheckBy = () => {
      atRecheck = [...folder.files.keys()];
      expect(new Set(read())).toEqual(new Set(order.slice(0, -1)));
      return createReferenceBackend();
    };
    await (await setting(limits)).run(folder, { recheckBy });
    expect(atRecheck).toEqual(order.slice(0, -1));
    expect(read().at(-1)).toBe(last);
  });

  it('failing any operation leaves nothing and says why', async () => {
    const { run } = await setting(limits);
    const whole = new MemoryFolder();
    await run(whole);
    for (let n = 0; n < whole.operations.length; n++) {
      const folder = new MemoryFolder();
      folder.failAt(n);
      const what = `${n}: ${whole.operations[n]!}`;
      expect((await failure(run(folder))).code, what).toBe('disk-full' satisfies ErrorCode);
      expectNothing(folder, what);
    }
    expect(whole.operations.length).toBeGreaterThan(20);
  });

  it('cancelling at any operation leaves nothing', async () => {
    const { run } = await setting(limits);
    const whole = new MemoryFolder();
    await run(whole);
    // The last operation is the last read of the verification: cancelling it comes too late for nothing but itself.
    for (let n = 0; n < whole.operations.length - 1; n++) {
      const folder = new MemoryFolder();
      const controller = new AbortController();
      folder.before = (operation) => {
        if (operation === n) controller.abort();
      };
      const what = `${n}: ${whole.operations[n]!}`;
      expect((await failure(run(folder, { signal: controller.signal }))).code, what).toBe('cancelled');
      expectNothing(folder, what);
    }
  });

  it('no memory for any piece of what is written leaves nothing, and no file open', async () => {
    const { run } = await setting(limits);
    const PIECE = 299;
    const Original = Uint8Array;
    let left = Infinity;
    vi.stubGlobal(
      'Uint8Array',
      new Proxy(Original, {
        construct(target, given: [unknown]) {
          if (given[0] === PIECE && left-- === 0) throw new RangeError('Array buffer allocation failed');
          return Reflect.construct(target, given) as object;
        },
      }),
    );
    let refused = 0;
    try {
      for (;; refused++) {
        const folder = new MemoryFolder();
        left = refused;
        const fault = await run(folder, { pieceBytes: PIECE }).then(() => null, (error: unknown) => error);
        if (fault === null) break;
        expect(fault, `piece ${refused}`).toMatchObject({ code: 'out-of-memory', reason: 'host-memory' });
        // The first piece of a file is had before anything of it is.
        if (refused === 0) expect((fault as StudioError).where).toEqual({ file: `${folder.name}/${order.find((name) => name.startsWith('model-') || name === 'model.safetensors')!}`, expected: PIECE });
        expectNothing(folder, `piece ${refused}`);
      }
    } finally {
      vi.unstubAllGlobals();
    }
    // Two pieces of each weight file at the least.
    expect(refused).toBeGreaterThanOrEqual(2);
  });

  it('failing any read of a source leaves nothing', async () => {
    const { run, family } = await setting(limits);
    await run(new MemoryFolder());
    const count = family.reads.length;
    for (let n = 0; n < count; n++) {
      const folder = new MemoryFolder();
      family.reads.length = 0;
      const { push } = family.reads;
      family.reads.push = (...items) => {
        if (family.reads.length === n) throw new StudioError('source-changed', 'gone', 'gone');
        return push.apply(family.reads, items);
      };
      expect((await failure(run(folder))).code, `read ${n}`).toBe('source-changed');
      expectNothing(folder, `read ${n}`);
      family.reads.push = push;
    }
    expect(count).toBeGreaterThan(5);
  });

  it('a backend that fails leaves nothing', async () => {
    const folder = new MemoryFolder();
    let groups = 0;
    const failing: Backend = {
      ...reference,
      merge: (...call) => {
        if (++groups === 2) throw new StudioError('device-lost', 'lost', 'lost');
        return reference.merge(...call);
      },
    };
    const { run } = await setting(limits);
    expect((await failure(run(folder, {}, failing))).code).toBe('device-lost');
    expectNothing(folder, 'backend');
  });

  it('a flipped bit on the disk is found, named, and the export removed', async () => {
    const folder = new MemoryFolder();
    let opened = 0;
    folder.before = (_operation, what) => {
      // Of the first: several are verified side by side.
      if (!what.startsWith('open model') || opened++ > 0) return;
      const file = folder.files.get(what.slice(5))!;
      file[file.length - 1]! ^= 1;
    };
    const { reason, where } = await failure((await setting(limits)).run(folder));
    // Payload order: I32 before BF16, so the last byte is c's, or in shards the first one's a's.
    expect([reason, where.names?.at(-1)]).toEqual(['verification-failed', limits === ONE ? 'c' : 'a']);
    expectNothing(folder, 'flipped');
  });
});

describe('before anything is written', () => {
  it('cancelled: nothing is even listed', async () => {
    const folder = new MemoryFolder();
    const { run } = await setting(ONE);
    expect((await failure(run(folder, { signal: AbortSignal.abort() }))).code).toBe('cancelled');
    expect(folder.operations).toEqual([]);
  });

  it('a plan with refusals is refused', async () => {
    const { run } = await setting(ONE, { ...TENSORS, a: [100] });
    expect(await failure(run(new MemoryFolder()))).toMatchObject({ reason: 'undecided', where: { names: ['a'] } });
  });

  it('a folder with weights, an index or a file of a name to be written is refused', async () => {
    const { run } = await setting(ONE);
    for (const name of ['model.safetensors', 'model-00007-of-00009.safetensors', INDEX, 'config.json']) {
      const folder = new MemoryFolder({ [name]: 'old', 'notes.txt': 'mine' });
      expect(await failure(run(folder))).toMatchObject({ code: 'destination', reason: 'not-empty', where: { file: 'out', names: [name] } });
      expect(folder.operations).toEqual(['list']);
    }
    await run(new MemoryFolder({ 'notes.txt': 'mine', 'tokenizer.json': 'mine' }));
  });

  it('integer tensors that differ are refused by name, and merged once somebody\'s are chosen', async () => {
    const other = { ...TENSORS, ids: { shape: [4], dtype: 'I32', values: [1, 2, 3] } } as const;
    const { run, family } = await setting(ONE, other);
    const folder = new MemoryFolder();
    expect(await failure(run(folder))).toMatchObject({ code: 'incompatible-checkpoints', reason: 'integer-differs', where: { tensor: 'ids', model: family.id('x'), names: ['ids'] } });
    expect(folder.operations).toEqual(['list']);
    await (await setting(ONE, other, { integerFrom: { ids: family.id('x') } })).run(new MemoryFolder());
  });
});

describe('NaN and infinity in the inputs (merging.md section 8)', () => {
  const spoiled = { ...TENSORS, b: { shape: [200], values: [NaN, Infinity, 1] } };
  it.each([['one shard', ONE], ['shards', THREE]] as const)('stop the run at their group and leave nothing, %s', async (_, limits) => {
    const { run, family } = await setting(limits, spoiled);
    const folder = new MemoryFolder();
    const seen: string[] = [];
    expect(await failure(run(folder, { onTensor: (name) => seen.push(name) }))).toMatchObject({
      code: 'incompatible-checkpoints',
      reason: 'nonfinite',
      where: { tensor: 'b', model: family.id('x'), names: ['b'], actual: 2 },
    });
    expect(seen).toEqual(['a']);
    expectNothing(folder, 'nonfinite');
  });
  it('are merged when the user says so', async () => {
    const { run } = await setting(ONE, spoiled, { allowNonfinite: true });
    const folder = new MemoryFolder();
    await run(folder);
    expect(folder.files.has('model.safetensors')).toBe(true);
  });
});

describe('replacing an older export', () => {
  const OLD = { 'model-00001-of-00002.safetensors': 'old', 'model-00002-of-00002.safetensors': 'old', [INDEX]: 'old', 'config.json': 'old', 'notes.txt': 'mine' };
  const text = (folder: MemoryFolder) => Object.fromEntries([...folder.files].map(([name, bytes]) => [name, bytes.length < 10 ? new TextDecoder().decode(bytes) : 'new']));

  it('leaves none of its weights and all else', async () => {
    const folder = new MemoryFolder(OLD);
    await (await setting(ONE)).run(folder, { replace: true });
    expect(text(folder)).toEqual({ 'notes.txt': 'mine', 'model.safetensors': 'new', 'config.json': '{}', 'README.md': '\u0003' });
    expect(folder.operations.filter((what) => what.startsWith('remove'))[0]).toBe(`remove ${INDEX}`);
  });

  it('keeps it whole until every tensor is merged and written', async () => {
    const { run } = await setting(THREE);
    const whole = new MemoryFolder(OLD);
    await run(whole, { replace: true });
    const cleared = whole.operations.indexOf(`remove ${INDEX}`);
    expect(cleared).toBeGreaterThan(whole.operations.indexOf('create README.md'));
    for (let n = 0; n <= cleared; n++) {
      const folder = new MemoryFolder(OLD);
      folder.failAt(n);
      await failure(run(folder, { replace: true }));
      expect(text(folder), `${n}: ${whole.operations[n]!}`).toEqual(OLD);
    }
  });

  it('never mixes: whatever fails, weights of one export at most, and no index over missing shards', async () => {
    const { run } = await setting(THREE);
    const whole = new MemoryFolder(OLD);
    await run(whole, { replace: true });
    for (let n = whole.operations.indexOf(`remove ${INDEX}`) + 1; n < whole.operations.length; n++) {
      const folder = new MemoryFolder(OLD);
      folder.failAt(n);
      await failure(run(folder, { replace: true }));
      const left = text(folder);
      expect(left[INDEX], `${n}: ${whole.operations[n]!}`).toBeUndefined();
      expect(Object.values(left).filter((value) => value === 'new'), `${n}`).toEqual([]);
      expect(left['notes.txt']).toBe('mine');
    }
  });

  it('a single file that cannot be closed leaves the old single file as it was', async () => {
    const old = { 'model.safetensors': 'old', 'config.json': 'old' };
    const { run } = await setting(ONE);
    const whole = new MemoryFolder(old);
    await run(whole, { replace: true });
    const folder = new MemoryFolder(old);
    folder.failAt(whole.operations.indexOf('close model.safetensors'));
    await failure(run(folder, { replace: true }));
    expect(text(folder)).toEqual(old);
  });
});

describe('what a failed run removes', () => {
  it('is the index first: shards without one are visibly incomplete', async () => {
    const folder = new MemoryFolder();
    folder.before = (_, what) => {
      if (what === `read ${INDEX}`) throw new StudioError('disk-full', 'disk-full', what);
    };
    await failure((await setting(THREE)).run(folder));
    expect(folder.operations.filter((what) => what.startsWith('remove'))[0]).toBe(`remove ${INDEX}`);
    expectNothing(folder, 'index');
  });
  it('includes a file whose closing failed after it had appeared', async () => {
    const folder = new MemoryFolder();
    folder.before = (_, what) => {
      if (what !== 'close model.safetensors') return;
      folder.files.set('model.safetensors', new Uint8Array(3));
      throw new StudioError('disk-full', 'disk-full', what);
    };
    await failure((await setting(ONE)).run(folder));
    expectNothing(folder, 'close');
  });
});

describe('what a failed run leaves', () => {
  it('tells of files that could not be removed', async () => {
    const { run } = await setting(THREE);
    const folder = new MemoryFolder();
    const left: string[] = [];
    folder.before = (_, what) => {
      if (what === 'create README.md' || what === 'remove model-00002-of-00003.safetensors') throw new StudioError('disk-full', 'disk-full', what);
    };
    await failure(run(folder, { onLeftBehind: (names) => left.push(...names) }));
    expect(left).toEqual(['model-00002-of-00003.safetensors']);
  });
});

it('a worker that dies while it hashes a file costs nothing: the file is hashed again on this thread', async () => {
  const { run } = await setting(THREE);
  const [calm, folder] = [new MemoryFolder(), new MemoryFolder()];
  await run(calm);
  let asked = 0;
  const died = () => Promise.reject(new StudioError('internal', HASHING_DIED, 'gone'));
  await run(folder, { hashing: { file: () => ({ update: () => (++asked, died()), hex: died }), piece: HASHING_HERE.piece } });
  expect(asked).toBeGreaterThan(0);
  expect([...folder.files]).toEqual([...calm.files]);
});
