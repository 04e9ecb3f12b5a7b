/** Digests of files made by workers: the right bytes to the right file, a bound on what waits, and what happens when one dies. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { StudioError } from '../../../src/bytes/errors';
import { HASHING_DIED } from '../../../src/bytes/file-hash';
import { Watchdog } from '../../../src/bytes/watchdog';
import { serveHashes } from '../../../src/worker/hash-serving';
import type { ToHashWorker } from '../../../src/worker/hash-serving';
import { HashWorkers } from '../../../src/worker/hashing';
import type { HashWorker } from '../../../src/worker/hashing';
import { TestTime } from '../test-time';

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const bytes = (seed: number, length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7) & 255);
const expected = (...pieces: Uint8Array[]) => createHash('sha256').update(Buffer.concat(pieces)).digest('hex');

/** Workers that answer a turn later, on copies as a transfer would give them. */
function workers() {
  const made: { posted: ToHashWorker[]; isHeld: boolean; isEnded: boolean; die: (reason: string) => void }[] = [];
  const spawn = (): HashWorker => {
    const own = { posted: [] as ToHashWorker[], isHeld: false, isEnded: false, die: (_: string) => {} };
    made.push(own);
    let receive: (message: ToHashWorker) => void = () => {};
    return {
      post: (message, transfer) => {
        own.posted.push(message);
        const copy = structuredClone(message, { transfer });
        if (!own.isHeld) setImmediate(() => receive(copy));
      },
      listen: (onMessage, onDeath) => {
        receive = serveHashes(onMessage);
        own.die = onDeath;
      },
      terminate: () => void (own.isEnded = true),
    };
  };
  return { made, spawn };
}

describe('hashing by workers', () => {
  it('gives each of several interleaved files its own digest, from as many workers as may be', async () => {
    const { made, spawn } = workers();
    const { hash } = new HashWorkers(2, spawn);
    const files = [0, 1, 2, 3].map((file) => ({ hash: hash(), pieces: [bytes(file, 100), bytes(file + 9, 64), bytes(file, file)] }));
    for (let piece = 0; piece < 3; piece++) for (const file of files) await file.hash.update(file.pieces[piece]!.slice());
    for (const { hash: own, pieces } of files) expect(await own.hex()).toBe(expected(...pieces));
    expect(made.length).toBe(2);
    expect(await hash().hex()).toBe(expected());
  });

  it('takes a worker that never answers for dead, and nobody waits for it', async () => {
    const { made, spawn } = workers();
    const time = new TestTime();
    const { hash } = new HashWorkers(1, spawn, new Watchdog(time));
    const own = hash();
    await own.update(bytes(1, 10));
    await settle();
    made[0]!.isHeld = true;
    const hex = own.hex().then(() => 'hashed', (error: StudioError) => error.reason);
    await settle();
    await time.pass(182_000);
    expect(await hex).toBe(HASHING_DIED);
    expect([made[0]!.isEnded, time.timers]).toEqual([true, 0]);
    // Another file starts with a new one.
    expect(await hash().hex()).toBe(expected());
  });

  it('takes the buffer, and lets one piece wait behind the one that is hashed', async () => {
    const { made, spawn } = workers();
    const own = new HashWorkers(1, spawn).hash();
    const first = bytes(1, 10);
    await own.update(first);
    expect(first.length).toBe(0);
    made[0]!.isHeld = true;
    await settle();
    await own.update(bytes(2, 10));
    let isTaken = false;
    void own.update(bytes(3, 10)).then(() => (isTaken = true), () => {});
    await settle();
    expect([isTaken, made[0]!.posted.length]).toEqual([false, 2]);
  });

  it('rejects what is asked of a worker that dies, and begins with another', async () => {
    const { made, spawn } = workers();
    const { hash } = new HashWorkers(1, spawn);
    const own = hash();
    await own.update(bytes(1, 10));
    made[0]!.die('gone');
    await expect(own.hex()).rejects.toMatchObject({ reason: 'hash-worker-died' });
    expect(made[0]!.isEnded).toBe(true);
    const other = hash();
    await other.update(bytes(2, 10));
    expect(await other.hex()).toBe(expected(bytes(2, 10)));
  });
});
