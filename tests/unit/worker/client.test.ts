/** A worker's death rejects every pending promise (style.md rule 9); events and replies find their way. */
import { describe, expect, it } from 'vitest';
import { WorkerClient } from '../../../src/worker/client';
import type { FromWorker, ToWorker, WorkerEvent } from '../../../src/worker/protocol';

class FakeWorker {
  readonly sent: ToWorker[] = [];
  terminated = false;
  private readonly listeners: [string, (event: Event) => void][] = [];
  endSilently: () => void = () => {};
  readonly dead = new Promise<void>((resolve) => (this.endSilently = resolve));
  cloneError: Error | null = null;

  postMessage(message: ToWorker): void {
    if (this.cloneError) throw this.cloneError;
    this.sent.push(message);
  }
  addEventListener(type: string, listener: (event: Event) => void): void {
    this.listeners.push([type, listener]);
  }
  terminate(): void {
    this.terminated = true;
  }
  emit(type: string, event: object = {}): void {
    for (const [name, listener] of this.listeners) if (name === type) listener(event as Event);
  }
  reply(message: FromWorker): void {
    this.emit('message', { data: message });
  }
}

function setUp() {
  const workers: FakeWorker[] = [];
  const client = new WorkerClient(() => {
    const worker = new FakeWorker();
    workers.push(worker);
    return { worker, isDead: () => worker.dead };
  });
  return { client, workers, worker: workers[0]! };
}
const report = { info: { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' }, gpuProblem: null, selfTest: [], speeds: [], why: 'asked' } as const;

describe('WorkerClient', () => {
  it('matches replies to requests by id, whatever their order', async () => {
    const { client, worker } = setUp();
    const first = client.request('start', { choice: 'cpu' });
    const second = client.request('close', { checkpoint: 'c' });
    expect(worker.sent).toEqual([
      { id: 1, request: 'start', payload: { choice: 'cpu' } },
      { id: 2, request: 'close', payload: { checkpoint: 'c' } },
    ]);
    worker.reply({ id: 2, ok: true, reply: null });
    worker.reply({ id: 1, ok: true, reply: report });
    expect(await Promise.all([first, second])).toEqual([report, null]);
  });

  it('rejects with the error the worker sent, its code and numbers kept', async () => {
    const { client, worker } = setUp();
    const request = client.request('start', { choice: 'cpu' });
    worker.reply({ id: 1, ok: false, error: { code: 'disk-full', reason: 'disk-full', message: 'm', where: { file: 'f', expected: 2 } } });
    await expect(request).rejects.toMatchObject({ code: 'disk-full', reason: 'disk-full', where: { file: 'f', expected: 2 } });
  });

  it('gives events to every listener until it unsubscribes', () => {
    const { client, worker } = setUp();
    const heard: [string, WorkerEvent][] = [];
    const stop = client.subscribe((event) => heard.push(['a', event]));
    client.subscribe((event) => heard.push(['b', event]));
    const event = { event: 'backend', report } as const;
    worker.reply(event);
    stop();
    worker.reply(event);
    expect(heard).toEqual([['a', event], ['b', event], ['b', event]]);
  });

  it('a message that cannot be cloned rejects its own request only', async () => {
    const { client, worker } = setUp();
    const pending = client.request('close', { checkpoint: 'c' });
    worker.cloneError = new DOMException('no', 'DataCloneError');
    await expect(client.request('close', { checkpoint: 'd' })).rejects.toMatchObject({ code: 'internal' });
    worker.reply({ id: 1, ok: true, reply: null });
    expect(await pending).toBe(null);
  });

  const deaths: readonly (readonly [string, (worker: FakeWorker, client: WorkerClient) => void, string])[] = [
    ['an uncaught error', (worker) => worker.emit('error', { message: 'boom' }), 'boom'],
    ['a script that does not load', (worker) => worker.emit('error'), 'its script did not load'],
    ['an unreadable message', (worker) => worker.emit('messageerror'), 'a message could not be read'],
    ['terminate', (_, client) => client.terminate(), 'terminated'],
  ];
  it.each(deaths)('%s rejects all that is pending and all that follows, and is told unless it was asked for', async (_, kill, cause) => {
    const { client, worker } = setUp();
    const told: string[] = [];
    client.onDeath(({ where }) => told.push(String(where.actual)));
    const pending = [client.request('cancel', {}), client.request('cancel', {})];
    kill(worker, client);
    const expected = { code: 'internal', reason: 'worker-died', where: { actual: cause } };
    for (const request of pending) await expect(request).rejects.toMatchObject(expected);
    await expect(client.request('cancel', {})).rejects.toMatchObject(expected);
    expect([worker.terminated, told]).toEqual([true, cause === 'terminated' ? [] : [cause]]);
  });

  it('a worker that ends without an event is noticed once it has spoken', async () => {
    const { client, worker } = setUp();
    const first = client.request('cancel', {});
    worker.reply({ id: 1, ok: true, reply: null });
    await first;
    const pending = client.request('cancel', {});
    worker.endSilently();
    await expect(pending).rejects.toMatchObject({ reason: 'worker-died' });
  });

  it('restart begins with a new worker, which the old one cannot disturb', async () => {
    const { client, workers, worker } = setUp();
    const lost = client.request('cancel', {});
    client.restart();
    await expect(lost).rejects.toMatchObject({ reason: 'worker-died' });
    const request = client.request('cancel', {});
    worker.emit('error', { message: 'late' });
    worker.reply({ id: 2, ok: false, error: { code: 'internal', reason: 'late', message: '', where: {} } });
    workers[1]!.reply({ id: 2, ok: true, reply: null });
    expect(await request).toBe(null);
  });
});
