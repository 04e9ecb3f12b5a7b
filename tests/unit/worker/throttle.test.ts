import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Throttle } from '../../../src/worker/throttle';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function setUp() {
  const sent: number[][] = [];
  const throttle = new Throttle<number[]>(100, (message) => sent.push(message), (waiting, next) => [...waiting, ...next]);
  return { sent, throttle };
}

describe('Throttle', () => {
  it('sends the first at once, then joins what comes within an interval', () => {
    const { sent, throttle } = setUp();
    for (let i = 0; i < 5; i++) {
      throttle.offer([i]);
      vi.advanceTimersByTime(30);
    }
    expect(sent).toEqual([[0], [1, 2, 3]]);
    vi.advanceTimersByTime(100);
    expect(sent).toEqual([[0], [1, 2, 3], [4]]);
  });

  it('does not depend on timers alone: an offer after the interval goes through while they are starved', () => {
    const { sent, throttle } = setUp();
    throttle.offer([0]);
    throttle.offer([1]);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 150);
    throttle.offer([2]);
    expect(sent).toEqual([[0], [1, 2]]);
  });

  it('flush sends what waits, once', () => {
    const { sent, throttle } = setUp();
    throttle.offer([0]);
    throttle.offer([1]);
    throttle.flush();
    throttle.flush();
    vi.advanceTimersByTime(500);
    expect(sent).toEqual([[0], [1]]);
  });
});
