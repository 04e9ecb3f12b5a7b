/** Rule: faults.md row 33 - no dispatch over 100 ms, whatever the adapter; it shrinks by itself, by measured time. */
import { describe, expect, it } from 'vitest';
import { COUNTERS, Pace } from '../../../src/engine/pace';

const only = (pipeline: string, blocks: number) => new Map([[pipeline, blocks]]);

describe('pace', () => {
  it('begins with 256 blocks, and has another number only where one is forced', () => {
    expect(new Pace().blocks('merge')).toBe(256);
    expect(new Pace(3).blocks('merge')).toBe(3);
  });

  it('a pipeline measured at 4 ms a block is given 25 blocks, one at 300 ms a block 1', () => {
    const pace = new Pace();
    expect(pace.isMeasured('merge')).toBe(false);
    pace.measured(only('merge', 256), 0, 1024);
    expect(pace.isMeasured('merge')).toBe(true);
    expect(pace.blocks('merge')).toBe(25);
    expect(pace.blocks('ties')).toBe(256);
    pace.measured(only('ties', 2), 1024, 1624);
    expect(pace.blocks('ties')).toBe(1);
  });

  it('a fast one is given more than it began with', () => {
    const pace = new Pace();
    pace.measured(only('merge', 256), 0, 2.56);
    expect(pace.blocks('merge')).toBe(10_000);
  });

  it('counts from the end of the submission before, not from when it was sent', () => {
    const pace = new Pace();
    pace.measured(only('merge', 100), 0, 500);
    pace.measured(only('ties', 100), 0, 600);
    expect(pace.blocks('ties')).toBe(100);
  });

  it('takes a lower time at once and half of a higher one', () => {
    const pace = new Pace();
    pace.measured(only('merge', 100), 0, 400);
    pace.measured(only('merge', 100), 1000, 1100);
    expect(pace.blocks('merge')).toBe(100);
    pace.measured(only('merge', 100), 2000, 2300);
    expect(pace.blocks('merge')).toBe(50);
  });

  it('shrinks all of a mixed submission that took longer than foreseen, and forgives half as much again', () => {
    const pace = new Pace();
    pace.measured(only('merge', 100), 0, 100);
    pace.measured(only('ties', 100), 100, 200);
    const mixed = new Map([['merge', 100], ['ties', 100]]);
    pace.measured(mixed, 1000, 1250);
    expect([pace.blocks('merge'), pace.blocks('ties')]).toEqual([100, 100]);
    pace.measured(mixed, 2000, 2800);
    expect([pace.blocks('merge'), pace.blocks('ties')]).toEqual([25, 25]);
  });

  it('a repair begins with a 32nd of its pass, is sent alone once it took blocks, and from then on has as many as 100 ms allow', () => {
    const pace = new Pace();
    const counters = new Uint32Array(COUNTERS);
    pace.measured(only('merge', 100), 0, 100);
    expect(pace.repairBlocks('repair', 'merge')).toBe(4);
    expect(pace.offer('repair', 1000)).toEqual({ counter: 0, alone: false, expected: 0 });
    pace.counted(counters);
    expect(pace.offer('repair', 1000).alone).toBe(false);
    counters[0] = 250;
    pace.counted(counters);
    expect(pace.offer('repair', 1000)).toEqual({ counter: 0, alone: true, expected: 250 });
    pace.repaired('repair', 200, 700);
    counters[0] = 500;
    pace.counted(counters);
    // 2 ms a block.
    expect(pace.repairBlocks('repair', 'merge')).toBe(50);
    expect(pace.offer('repair', 400)).toEqual({ counter: 0, alone: false, expected: 100 });
    expect(pace.isFull(new Map([['repair', 200]]))).toBe(true);
  });

  it('a repair whose blocks came from other submissions too is not measured by them', () => {
    const pace = new Pace();
    const counters = new Uint32Array(COUNTERS);
    pace.offer('other', 1);
    pace.offer('repair', 1000);
    counters[1] = 10;
    pace.counted(counters);
    pace.offer('repair', 1000);
    // Not seen done yet when its count is read.
    counters[1] = 30;
    pace.counted(counters);
    pace.repaired('repair', 0, 40);
    expect(pace.offer('repair', 1000)).toEqual({ counter: 1, alone: true, expected: 20 });
    pace.repaired('repair', 50, 90);
    counters[1] = 50;
    pace.counted(counters);
    // Both times over the last count: too slow rather than too fast.
    expect(pace.repairBlocks('repair', 'merge')).toBe(25);
  });

  it('closes a submission at 400 ms foreseen', () => {
    const pace = new Pace();
    pace.measured(only('merge', 100), 0, 100);
    expect(pace.isFull(only('merge', 399))).toBe(false);
    expect(pace.isFull(only('merge', 400))).toBe(true);
    expect(pace.isFull(only('unmeasured', 10_000))).toBe(false);
  });
});
