/** Every request has exactly one reply; exploring supersedes; a job can be paused, cancelled, and not joined by another. */
import { describe, expect, it } from 'vitest';
import { MalformedFileError } from '../../../src/bytes/errors';
import { Dispatcher } from '../../../src/worker/dispatch';
import type { Control, Handlers } from '../../../src/worker/dispatch';
import type { FromWorker } from '../../../src/worker/protocol';

interface Call {
  readonly name: string;
  readonly payload: unknown;
  readonly control: Control;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
}

function setUp(post?: (message: FromWorker, transfer: ArrayBuffer[]) => void) {
  const calls: Call[] = [];
  const posted: FromWorker[] = [];
  const names = ['start', 'open', 'openSample', 'close', 'explore', 'surface', 'plan', 'merge', 'exported', 'removeUnfinished'];
  const handlers = Object.fromEntries(
    names.map((name) => [name, (payload: unknown, control: Control) =>
      new Promise((resolve, reject) => calls.push({ name, payload, control, resolve, reject }))]),
  ) as unknown as Handlers;
  const dispatcher = new Dispatcher(handlers, post ?? ((message) => posted.push(message)));
  let id = 0;
  const send = (request: string, payload: unknown = {}) => {
    dispatcher.receive({ id: ++id, request, payload });
    return id;
  };
  return { calls, posted, dispatcher, send };
}
/** Lets every settled promise run its continuations. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const cancelled = (id: number) => expect.objectContaining({ id, ok: false, error: expect.objectContaining({ code: 'cancelled' }) });

describe('replies', () => {
  it('answers with what the handler returned, in the order they finish', async () => {
    const { calls, posted, send } = setUp();
    const [first, second] = [send('plan', 'p'), send('open', 'o')];
    expect(calls.map(({ name, payload }) => [name, payload])).toEqual([['plan', 'p'], ['open', 'o']]);
    calls[1]!.resolve('opened');
    await settle();
    calls[0]!.resolve('planned');
    await settle();
    expect(posted).toEqual([{ id: second, ok: true, reply: 'opened' }, { id: first, ok: true, reply: 'planned' }]);
  });

  it('moves the arrays of a view, each buffer once, and copies every other reply', async () => {
    const moved: ArrayBuffer[][] = [];
    const { calls, send } = setUp((_message, transfer) => moved.push(transfer));
    const [one, other] = [new Float64Array(4), new Float64Array(2)];
    send('surface');
    await settle();
    calls[0]!.resolve({ tensors: [{ tensor: 'a', view: { numel: 4, conflict: one, keptX: one.subarray(2), keptY: other } }, null] });
    await settle();
    send('explore');
    await settle();
    calls[1]!.resolve({ tensors: [{ counts: one }] });
    await settle();
    expect(moved[0]).toHaveLength(2);
    expect(moved[0]![0]).toBe(one.buffer);
    expect(moved[0]![1]).toBe(other.buffer);
    expect(moved[1]).toEqual([]);
  });

  it('sends a typed error as it is and any other as internal', async () => {
    const { calls, posted, send } = setUp();
    const [first, second] = [send('open'), send('open')];
    calls[0]!.reject(new MalformedFileError('header-too-long', 'm', { file: 'a', expected: 1, actual: 2 }));
    await settle();
    calls[1]!.reject(new TypeError('oops'));
    await settle();
    expect(posted).toEqual([
      { id: first, ok: false, error: { code: 'malformed-file', reason: 'header-too-long', message: 'm', where: { file: 'a', expected: 1, actual: 2 } } },
      { id: second, ok: false, error: { code: 'internal', reason: 'unexpected', message: 'TypeError: oops', where: {} } },
    ]);
  });

  it.each(['nonsense', 'constructor', '__proto__'])('refuses the unknown request %s', async (request) => {
    const { posted, send } = setUp();
    const id = send(request);
    await settle();
    expect(posted).toEqual([{ id, ok: false, error: expect.objectContaining({ code: 'internal', reason: 'unknown-request', where: { actual: request } }) }]);
  });

  it('ignores what is no request', () => {
    const { posted, dispatcher } = setUp();
    for (const message of [null, 'x', {}, { id: 'a', request: 'open' }, { id: 1 }]) dispatcher.receive(message);
    expect(posted).toEqual([]);
  });

  it('a reply that cannot be cloned becomes an error, not silence', async () => {
    const posted: FromWorker[] = [];
    const { calls, send } = setUp((message) => {
      if ('ok' in message && message.ok) throw new DOMException('no clone', 'DataCloneError');
      posted.push(message);
    });
    const id = send('plan');
    calls[0]!.resolve(() => {});
    await settle();
    expect(posted).toEqual([expect.objectContaining({ id, ok: false, error: expect.objectContaining({ code: 'internal' }) })]);
  });
});

describe('explore', () => {
  it('rejects an earlier one at once, aborts it, and runs the latest when it has stopped', async () => {
    const { calls, posted, send } = setUp();
    const first = send('explore', 1);
    await settle();
    const [second, third] = [send('explore', 2), send('explore', 3)];
    expect(posted).toEqual([cancelled(first), cancelled(second)]);
    expect(calls.map(({ payload }) => payload)).toEqual([1]);
    expect(calls[0]!.control.signal.aborted).toBe(true);
    calls[0]!.resolve('too late');
    await settle();
    expect(calls.map(({ payload }) => payload)).toEqual([1, 3]);
    expect(calls[1]!.control.signal.aborted).toBe(false);
    calls[1]!.resolve('figures');
    await settle();
    expect(posted.slice(2)).toEqual([{ id: third, ok: true, reply: 'figures' }]);
  });

  it('does not disturb other requests, nor a finished one', async () => {
    const { calls, posted, send } = setUp();
    const plan = send('plan');
    const first = send('explore');
    await settle();
    calls[1]!.resolve('a');
    await settle();
    send('explore');
    await settle();
    expect(calls[0]!.control.signal.aborted).toBe(false);
    calls[0]!.resolve('b');
    await settle();
    expect(posted).toEqual([{ id: first, ok: true, reply: 'a' }, { id: plan, ok: true, reply: 'b' }]);
  });
});

describe('merge', () => {
  it('runs alone: another, a new backend, closing a checkpoint and removing an unfinished one have to wait; exploring does not', async () => {
    const { calls, posted, send } = setUp();
    send('merge');
    const refused = [send('merge'), send('start'), send('close'), send('removeUnfinished')];
    send('explore');
    await settle();
    expect(posted).toEqual(refused.map((id) => expect.objectContaining({ id, ok: false, error: expect.objectContaining({ code: 'internal', reason: 'busy' }) })));
    expect(calls.map(({ name }) => name)).toEqual(['merge', 'explore']);
    calls[0]!.reject(new Error('failed'));
    await settle();
    send('merge');
    expect(calls.map(({ name }) => name)).toEqual(['merge', 'explore', 'merge']);
  });

  it('cancel is answered at once, the merge when it has stopped, as cancelled whatever it threw', async () => {
    const { calls, posted, send } = setUp();
    const merge = send('merge');
    const cancel = send('cancel');
    expect(posted).toEqual([{ id: cancel, ok: true, reply: null }]);
    expect(calls[0]!.control.signal.aborted).toBe(true);
    calls[0]!.reject(new Error('while stopping'));
    await settle();
    expect(posted.slice(1)).toEqual([cancelled(merge)]);
  });

  it('pause holds ready() back until resumed', async () => {
    const { calls, send } = setUp();
    send('merge');
    let passed = 0;
    const pass = async () => {
      await calls[0]!.control.ready();
      passed++;
    };
    await pass();
    send('pause', { paused: true });
    send('pause', { paused: true });
    const waiting = pass();
    await settle();
    expect(passed).toBe(1);
    send('pause', { paused: false });
    await waiting;
    expect(passed).toBe(2);
  });

  it('cancelling a paused merge lets it go with CancelledError', async () => {
    const { calls, send } = setUp();
    send('merge');
    send('pause', { paused: true });
    const waiting = calls[0]!.control.ready();
    send('cancel');
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('pause and cancel without a merge are answered', () => {
    const { posted, send } = setUp();
    send('pause', { paused: true });
    send('cancel');
    expect(posted).toEqual([{ id: 1, ok: true, reply: null }, { id: 2, ok: true, reply: null }]);
  });
});
