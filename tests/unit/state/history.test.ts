import { describe, expect, it } from 'vitest';
import { MAX_STEPS, QUIET_MS, rebase, record, redo, seal, startHistory, undo } from '../../../src/state/history';

const after = (...edits: [value: number, key: string | null, at: number][]) =>
  edits.reduce((history, [value, key, at]) => record(history, value, key, at), startHistory(0));

describe('history', () => {
  it('makes one step of edits with one key in close succession', () => {
    const dragged = after([1, 'k', 0], [2, 'k', 400], [3, 'k', 400 + QUIET_MS]);
    expect(dragged.past).toEqual([0]);
    expect(undo(dragged).present).toBe(0);
  });

  it('makes a new step after a pause, for another key, without a key, and after a gesture ended', () => {
    expect(after([1, 'k', 0], [2, 'k', QUIET_MS + 1]).past).toEqual([0, 1]);
    expect(after([1, 'k', 0], [2, 'l', 1]).past).toEqual([0, 1]);
    expect(after([1, null, 0], [2, null, 1]).past).toEqual([0, 1]);
    expect(record(seal(after([1, 'k', 0])), 2, 'k', 1).past).toEqual([0, 1]);
  });

  it('goes back and forth, and a new edit ends what could be redone', () => {
    const two = after([1, null, 0], [2, null, 1]);
    const back = undo(undo(two));
    expect([back.present, back.future]).toEqual([0, [1, 2]]);
    expect(redo(redo(back))).toEqual({ past: [0, 1], present: 2, future: [], open: null });
    expect(record(back, 9, null, 2).future).toEqual([]);
  });

  it('stays as it is where there is nothing to undo or redo', () => {
    const one = startHistory(7);
    expect(undo(one)).toBe(one);
    expect(redo(one)).toBe(one);
  });

  it('does not join an edit after undo to the step before it', () => {
    expect(record(undo(after([1, 'k', 0], [2, 'l', 1])), 5, 'k', 2).past).toEqual([0, 1]);
  });

  it('forgets the oldest step over the most it keeps', () => {
    const many = after(...Array.from({ length: MAX_STEPS + 3 }, (_, i): [number, null, number] => [i + 1, null, i]));
    expect(many.past).toHaveLength(MAX_STEPS);
    expect(many.past[0]).toBe(3);
  });

  it('applies what comes from outside to every step', () => {
    const history = undo(after([1, null, 0], [2, null, 1]));
    expect(rebase(history, (value) => value + 10)).toEqual({ past: [10], present: 11, future: [12], open: null });
  });
});
