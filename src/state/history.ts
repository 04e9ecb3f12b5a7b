/** Undo and redo. Edits with one key that follow each other closely (a slider being dragged) are one step. */

/** Milliseconds without an edit after which the next one is a step of its own, whatever its key. */
export const QUIET_MS = 1000;
/** Steps that can be undone. */
export const MAX_STEPS = 200;

export interface History<T> {
  /** Oldest first. */
  readonly past: readonly T[];
  readonly present: T;
  /** Next to be redone first. */
  readonly future: readonly T[];
  /** The edit that the next one of this key may join; null when it may not. */
  readonly open: { readonly key: string; readonly at: number } | null;
}

export function startHistory<T>(present: T): History<T> {
  return { past: [], present, future: [], open: null };
}

/** `next` as the present. `key` names what is edited, null for an edit that never joins another; `at` in milliseconds. */
export function record<T>(history: History<T>, next: T, key: string | null, at: number): History<T> {
  const { past, present, open } = history;
  const joins = key !== null && open !== null && open.key === key && at - open.at <= QUIET_MS;
  return {
    past: joins ? past : [...past, present].slice(-MAX_STEPS),
    present: next,
    future: [],
    open: key === null ? null : { key, at },
  };
}

/** Ends a gesture: the next edit is a step of its own. */
export function seal<T>(history: History<T>): History<T> {
  return history.open === null ? history : { ...history, open: null };
}

/** Applies to every step what follows from outside, such as another checkpoint being opened: it cannot be undone. */
export function rebase<T>({ past, present, future }: History<T>, change: (step: T) => T): History<T> {
  return { past: past.map(change), present: change(present), future: future.map(change), open: null };
}

export function undo<T>(history: History<T>): History<T> {
  const { past, present, future } = history;
  const previous = past.at(-1);
  return previous === undefined ? history : { past: past.slice(0, -1), present: previous, future: [present, ...future], open: null };
}

export function redo<T>(history: History<T>): History<T> {
  const { past, present, future } = history;
  const [next, ...later] = future;
  return next === undefined ? history : { past: [...past, present], present: next, future: later, open: null };
}
