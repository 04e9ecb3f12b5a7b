export interface Bar {
  readonly bar: string;
  readonly measured: string;
  /** pass, miss, or `not measured: WHY`. */
  readonly verdict: string;
}
/** Results as bench/results.json has them. */
export function barsOf(results: object): Bar[];
