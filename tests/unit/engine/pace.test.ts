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

  it('counts what is only copied too, and takes submissions that were seen done at once for as long as all of them', () => {
    const pace = new Pace();
    pace.measured(only('merge', 100), 0, 100);
    // A copy of another group's inputs, ahead in the queue.
    pace.measured(new Map(), 150, 400);
    pace.measured(only('ties', 100), 160, 600);
    expect(pace.blocks('ties')).toBe(50);
    // This thread was busy until 1000.
    pace.measured(only('first', 100), 600, 1000);
    pace.measured(only('second', 100), 610, 1000.5);
    expect([pace.blocks('first'), pace.blocks('second')]).toEqual([25, 25]);
    pace.measured(only('third', 100), 610, 1100.5);
    expect(pace.blocks('third')).toBe(100);
  });

  it('takes a lower time at once, down to half, and half of a higher one', () => {
    const pace = new Pace();
    pace.measured(only('merge', 100), 0, 400);
    pace.measured(only('merge', 100), 1000, 1200);
    expect(pace.blocks('merge')).toBe(50);
    pace.measured(only('merge', 100), 2000, 2050);
    expect(pace.blocks('merge')).toBe(100);
    pace.measured(only('merge', 100), 3000, 3300);
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
    // It was this thread that was slow; but no faster than either has been by itself.
    pace.measured(mixed, 3000, 3400);
    expect([pace.blocks('merge'), pace.blocks('ties')]).toEqual([50, 50]);
    pace.measured(mixed, 4000, 4020);
    expect([pace.blocks('merge'), pace.blocks('ties')]).toEqual([100, 100]);
  });

  it('a repair begins with a 32nd of its pass, is sent alone once it took blocks, and from then on has as many as 100 ms allow', () => {
    const pace = new Pace();
    const counters = new Uint32Array(COUNTERS);
    pace.measured(only('merge', 100), 0, 100);
    const sent = (blocks: number) => {
      const offer = pace.offer('repair', blocks);
      pace.sent([offer]);
      return offer;
    };
    expect(pace.repairBlocks('repair', 'merge')).toBe(4);
    expect(sent(1000)).toMatchObject({ counter: 0, alone: false, expected: 0 });
    pace.counted(counters, pace.mark());
    expect(sent(1000).alone).toBe(false);
    counters[0] = 250;
    pace.counted(counters, pace.mark());
    const third = sent(1000);
    expect(third).toMatchObject({ counter: 0, alone: true, expected: 250 });
    pace.repaired(third, 200, 700);
    counters[0] = 500;
    pace.counted(counters, pace.mark());
    // 2 ms a block.
    expect(pace.repairBlocks('repair', 'merge')).toBe(50);
    expect(sent(400)).toMatchObject({ counter: 0, alone: false, expected: 100 });
    expect(pace.isFull(new Map([['repair', 200]]))).toBe(true);
  });

  it('a repair is measured by the time and the count of the same submissions, whichever group is read first and whichever comes first', () => {
    const pace = new Pace();
    const counters = new Uint32Array(COUNTERS);
    const offer = () => pace.offer('repair', 100);
    const offers = [offer(), offer()];
    // Recorded first, sent last: what is counted up to the mark is the second one's.
    pace.sent([offers[1]!]);
    const mark = pace.mark();
    pace.sent([offers[0]!]);
    counters[0] = 20;
    pace.counted(counters, mark);
    expect(offer()).toMatchObject({ alone: true, expected: 20 });
    counters[0] = 60;
    pace.counted(counters, pace.mark());
    expect(offer()).toMatchObject({ alone: true, expected: 40 });
    // Two groups' repairs, each by itself; the count of the first is read before it is seen done, the other's after.
    const [first, second] = [offer(), offer()];
    pace.sent([first]);
    const marks = [pace.mark()];
    pace.sent([second]);
    marks.push(pace.mark());
    counters[0] = 70;
    pace.counted(counters, marks[0]!);
    pace.repaired(first, 0, 40);
    // 4 ms a block.
    expect(pace.repairBlocks('repair', 'merge')).toBe(25);
    pace.repaired(second, 0, 60);
    counters[0] = 110;
    pace.counted(counters, marks[1]!);
    // 20 ms after the first for 40 blocks.
    expect(pace.repairBlocks('repair', 'merge')).toBe(200);
  });

  it('a repair that was sent with others is not measured', () => {
    const pace = new Pace();
    const counters = new Uint32Array(COUNTERS);
    pace.sent([pace.offer('repair', 100)]);
    counters[0] = 10;
    pace.counted(counters, pace.mark());
    const [alone, mixed] = [pace.offer('repair', 100), { ...pace.offer('repair', 100), alone: false }];
    pace.sent([alone, mixed]);
    pace.repaired(alone, 0, 10);
    counters[0] = 20;
    pace.counted(counters, pace.mark());
    expect(pace.offer('repair', 100).alone).toBe(true);
  });

  it('closes a submission at 400 ms foreseen', () => {
    const pace = new Pace();
    pace.measured(only('merge', 100), 0, 100);
    expect(pace.isFull(only('merge', 399))).toBe(false);
    expect(pace.isFull(only('merge', 400))).toBe(true);
    expect(pace.isFull(only('unmeasured', 10_000))).toBe(false);
  });
});
