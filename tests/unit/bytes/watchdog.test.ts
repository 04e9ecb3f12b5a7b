/** What never ends is found out, and nothing else is: limits by size and speed, in time awake (faults.md B 36, 46). */
import { describe, expect, it } from 'vitest';
import { ReadLimits, Watchdog } from '../../../src/bytes/watchdog';
import { TestTime } from '../test-time';

const never = () => new Promise<string>(() => {});
const fault = (seconds: number) => new Error(`after ${seconds}`);
const settled = async (promise: Promise<unknown>) => {
  let state = 'waiting';
  promise.then((value) => (state = `gave ${String(value)}`), (error: unknown) => (state = (error as Error).message));
  await new Promise((resolve) => setImmediate(resolve));
  return () => state;
};

describe('a watchdog', () => {
  it('rejects what has not ended after its limit, and says after how long', async () => {
    const time = new TestTime();
    const state = await settled(new Watchdog(time).over({ limitMs: 60_000, fault }, never));
    await time.pass(60_000);
    expect(state()).toBe('waiting');
    await time.pass(1000);
    expect(state()).toBe('after 61');
  });

  it('lets pass what ends in time, whatever it ends with, and then asks for no more timers', async () => {
    const time = new TestTime();
    const dog = new Watchdog(time);
    expect(await dog.over({ limitMs: 1, fault }, async () => 'in time')).toBe('in time');
    await expect(dog.over({ limitMs: 1, fault }, () => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
    await expect(dog.over({ limitMs: 1, fault }, () => { throw new Error('at once'); })).rejects.toThrow('at once');
    expect(time.timers).toBe(0);
  });

  it('counts a gap as two seconds: a laptop that slept for a night raises no alarm', async () => {
    const time = new TestTime();
    const state = await settled(new Watchdog(time).over({ limitMs: 60_000, fault }, never));
    for (let night = 0; night < 29; night++) await time.sleep(8 * 3_600_000);
    expect(state()).toBe('waiting');
    await time.sleep(8 * 3_600_000);
    expect(state()).toBe('waiting');
    await time.pass(1000);
    expect(state()).toBe('after 61');
  });

  it('holds each to its own limit, from its own start', async () => {
    const time = new TestTime();
    const dog = new Watchdog(time);
    const first = await settled(dog.over({ limitMs: 5000, fault }, never));
    await time.pass(3000);
    const second = await settled(dog.over({ limitMs: 5000, fault }, never));
    await time.pass(3000);
    expect([first(), second()]).toEqual(['after 6', 'waiting']);
    await time.pass(3000);
    expect(second()).toBe('after 6');
  });

  it('gives up what was aborted within a second, long before the limit', async () => {
    const time = new TestTime();
    const stopping = new AbortController();
    const state = await settled(new Watchdog(time).over({ limitMs: 60_000, fault, signal: stopping.signal }, never));
    stopping.abort();
    await time.pass(1000);
    expect(state()).toBe('cancelled');
  });
});

describe('the limit of a read', () => {
  it('is a minute, and twenty times what it should take: by what was measured, or by 10 MB/s before anything was', () => {
    const limits = new ReadLimits();
    expect([limits.of(0), limits.of(64e6)]).toEqual([60_000, 60_000 + 20 * 6400]);
    // 2 MB/s: a share over a slow line.
    limits.note(20e6, 10_000);
    expect(limits.of(64e6)).toBe(60_000 + 20 * 32_000);
    limits.note(1e9, 500);
    expect(limits.of(64e6)).toBeLessThan(60_000 + 20 * 660);
  });
});
