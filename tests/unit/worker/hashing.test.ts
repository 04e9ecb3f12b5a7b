/** Digests made by workers: the right bytes to the right file or piece, what is held meanwhile, and what happens when one dies. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { StudioError } from '../../../src/bytes/errors';
import { HASHING_DIED } from '../../../src/bytes/hashing';
import { pieceDigest } from '../../../src/bytes/piece-digest';
import { Watchdog } from '../../../src/bytes/watchdog';
import { planMerge } from '../../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { runMerge } from '../../../src/merge/run';
import { createReferenceBackend } from '../../../src/reference/backend';
import { serveHashes } from '../../../src/worker/hash-serving';
import type { FromHashWorker, ToHashWorker } from '../../../src/worker/hash-serving';
import { HashWorkers } from '../../../src/worker/hashing';
import type { HashWorker } from '../../../src/worker/hashing';
import { familyOf, recipeOf } from '../merge/family';
import { MemoryFolder } from '../merge/memory-folder';
import { TestTime } from '../test-time';

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const bytes = (seed: number, length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7) & 255);
const expected = (...pieces: Uint8Array[]) => createHash('sha256').update(Buffer.concat(pieces)).digest('hex');

interface Made {
  readonly posted: ToHashWorker[];
  /** Takes messages, and never answers. */
  isHeld: boolean;
  isEnded: boolean;
  die(reason: string): void;
}

/** Workers that answer a turn later, over messages as a transfer would give them. `asked` hears of each message. */
function workers(asked: (made: Made) => void = () => {}) {
  const made: Made[] = [];
  const spawn = (): HashWorker => {
    const own: Made = { posted: [], isHeld: false, isEnded: false, die: () => {} };
    made.push(own);
    let receive: (message: ToHashWorker) => void = () => {};
    return {
      post: (message, transfer) => {
        const moved = structuredClone(message, { transfer });
        own.posted.push(moved);
        asked(own);
        if (!own.isHeld) setImmediate(() => own.isEnded || receive(moved));
      },
      listen: (onMessage, onDeath) => {
        receive = serveHashes((message, transfer) => onMessage(structuredClone<FromHashWorker>(message, { transfer })));
        own.die = onDeath;
      },
      terminate: () => void (own.isEnded = true),
    };
  };
  return { made, spawn };
}

describe('files hashed by workers', () => {
  it('each of several interleaved gets its own digest, and its pieces theirs, from as many workers as may be', async () => {
    const { made, spawn } = workers();
    const hashing = new HashWorkers(2, spawn);
    const files = [0, 1, 2, 3].map((file) => ({ hash: hashing.file(), pieces: [bytes(file, 100), bytes(file + 9, 64), bytes(file, file)] }));
    const digests: Promise<[string, string]>[] = [];
    for (let piece = 0; piece < 3; piece++) for (const { hash, pieces } of files) digests.push(Promise.all([hash.update(pieces[piece]!.slice()).then(({ digest }) => digest), pieceDigest(pieces[piece]!)]));
    for (const { hash, pieces } of files) expect(await hash.hex()).toBe(expected(...pieces));
    for (const [actual, own] of await Promise.all(digests)) expect(actual).toBe(own);
    expect(made.length).toBe(2);
    expect(await hashing.file().hex()).toBe(expected());
  });

  it('take the buffer, and give it back with its bytes', async () => {
    const piece = bytes(1, 10);
    const update = new HashWorkers(1, workers().spawn).file().update(piece);
    expect(piece.length).toBe(0);
    expect(new Uint8Array((await update).buffer)).toEqual(bytes(1, 10));
  });

  it('reject what is asked of a worker that dies, those of another worker do not, and the next begins with a new one', async () => {
    const { made, spawn } = workers();
    const hashing = new HashWorkers(2, spawn);
    const [own, other] = [hashing.file(), hashing.file()];
    await Promise.all([own.update(bytes(1, 10)), other.update(bytes(2, 10))]);
    const asked = own.update(bytes(1, 10));
    made[0]!.die('gone');
    await expect(asked).rejects.toMatchObject({ reason: 'hash-worker-died' });
    await expect(own.hex()).rejects.toMatchObject({ reason: 'hash-worker-died' });
    expect(await other.hex()).toBe(expected(bytes(2, 10)));
    expect(made.map(({ isEnded }) => isEnded)).toEqual([true, false]);
    const third = hashing.file();
    await third.update(bytes(3, 10));
    expect(await third.hex()).toBe(expected(bytes(3, 10)));
    expect(made.length).toBe(3);
  });

  it('reject as well when their worker says that it could not', async () => {
    const said: FromHashWorker[] = [];
    serveHashes((message) => said.push(message))({ file: 0, piece: null } as unknown as ToHashWorker);
    await settle();
    expect(said).toEqual([{ failed: expect.stringContaining('TypeError') }]);
    let isEnded = false;
    let answer: (message: FromHashWorker) => void = () => {};
    const spawn = (): HashWorker => ({ post: () => setImmediate(() => answer(said[0]!)), listen: (onMessage) => void (answer = onMessage), terminate: () => void (isEnded = true) });
    const hashing = new HashWorkers(1, spawn);
    await expect(hashing.file().update(bytes(1, 10))).rejects.toMatchObject({ reason: 'hash-worker-died' });
    expect(isEnded).toBe(true);
    expect(await hashing.piece(bytes(1, 50))).toBe(await pieceDigest(bytes(1, 50)));
  });
});

it('where no worker can be started, a file says so as one whose worker is gone', async () => {
  const hashing = new HashWorkers(1, () => {
    throw new TypeError('no worker');
  });
  expect(() => hashing.file()).toThrow(expect.objectContaining({ reason: HASHING_DIED }));
  expect(await hashing.piece(bytes(1, 50))).toBe(await pieceDigest(bytes(1, 50)));
});

it('a worker that never answers is taken for dead, and nobody waits for it', async () => {
  const { made, spawn } = workers();
  const time = new TestTime();
  const hashing = new HashWorkers(1, spawn, new Watchdog(time));
  const own = hashing.file();
  await own.update(bytes(1, 10));
  made[0]!.isHeld = true;
  const hex = own.hex().then(() => 'hashed', (error: StudioError) => error.reason);
  const piece = hashing.piece(bytes(2, 50));
  await settle();
  await time.pass(182_000);
  expect(await hex).toBe(HASHING_DIED);
  expect(await piece).toBe(await pieceDigest(bytes(2, 50)));
  expect([made[0]!.isEnded, time.timers]).toEqual([true, 0]);
  // Another file starts with a new one.
  expect(await hashing.file().hex()).toBe(expected());
});

describe('pieces hashed by workers', () => {
  it('stay the caller\'s; copies go round in the same memory, one a worker', async () => {
    const { made, spawn } = workers();
    const hashing = new HashWorkers(2, spawn);
    const pieces = Array.from({ length: 7 }, (_, i) => bytes(i, i === 0 ? 100 : 90 - i));
    expect(await Promise.all(pieces.map((piece) => hashing.piece(piece)))).toEqual(await Promise.all(pieces.map(pieceDigest)));
    pieces.forEach((piece, i) => expect(piece).toEqual(bytes(i, i === 0 ? 100 : 90 - i)));
    expect(made.map(({ posted }) => posted.length)).toEqual([4, 3]);
    // The first had room for all that came after it.
    await hashing.piece(bytes(9, 95));
    expect(made[0]!.posted.length).toBe(5);
  });

  it('one after the other wait for one worker: another is not started', async () => {
    const { made, spawn } = workers();
    const hashing = new HashWorkers(2, spawn);
    for (let i = 0; i < 4; i++) expect(await hashing.piece(bytes(i, 50))).toBe(await pieceDigest(bytes(i, 50)));
    expect(made.map(({ posted }) => posted.length)).toEqual([4]);
  });

  it('while one is hashed the next is not copied', async () => {
    const { made, spawn } = workers((own) => void (own.isHeld = true));
    const hashing = new HashWorkers(1, spawn);
    for (let i = 0; i < 3; i++) void hashing.piece(bytes(i, 50));
    await settle();
    expect(made[0]!.posted.length).toBe(1);
  });

  it('are hashed here when the worker dies, or cannot be started', async () => {
    const { made, spawn } = workers((own) => void (own.isHeld = true));
    const asked = new HashWorkers(1, spawn).piece(bytes(1, 50));
    await settle();
    made[0]!.die('gone');
    expect(await asked).toBe(await pieceDigest(bytes(1, 50)));
    const none = () => {
      throw new Error('no workers here');
    };
    expect(await new HashWorkers(1, none).piece(bytes(1, 50))).toBe(await pieceDigest(bytes(1, 50)));
  });
});

it('a merge whose workers die at any message gives the same files, all of them read again', async () => {
  const family = await familyOf({ base: { a: [40], b: [8, 4], c: [5] }, sft: { a: [40], b: [8, 4], c: [5] } });
  const plan = planMerge(family.checkpoints, recipeOf(family, 'task_arithmetic', 'base', ['sft']), DEFAULT_CHOICES, { chunkBytes: 64, shardBytes: 80 }, {});
  const run = async (hashing: HashWorkers) => {
    const folder = new MemoryFolder();
    const { files } = await runMerge(plan, createReferenceBackend(), family.openShard, folder, { hashing, pieceBytes: 32 });
    return { files, bytes: [...folder.files] };
  };
  let messages = 0;
  const calm = await run(new HashWorkers(2, workers(() => void messages++).spawn));
  for (const { name, sha256 } of calm.files) expect(sha256).toBe(expected(new Map(calm.bytes).get(name)!));
  expect(messages).toBeGreaterThan(20);
  for (let at = 1; at <= messages; at++) {
    let asked = 0;
    const { spawn } = workers((own) => {
      if (++asked === at) setImmediate(() => own.die('gone'));
      own.isHeld = asked === at;
    });
    expect(await run(new HashWorkers(2, spawn)), `message ${at}`).toEqual(calm);
  }
});
