/** One thing measured; the contract between the page of measurements and bench/run.mjs. */
export interface Measurement {
  /** What was measured, as the row of the table says it. */
  readonly name: string;
  /** Bytes that went through once, the unit of throughput; 0 where bytes mean nothing. */
  readonly bytes: number;
  /** Values that it went over; 0 where they mean nothing, all of the report's tensor where it is not told. */
  readonly elements?: number;
  /** Name of the row whose bandwidth it is held against, where that is not the copy of the tensor. */
  readonly against?: string;
  /** Seconds of each repetition, after one that is thrown away. */
  readonly seconds: readonly number[];
}

/** What the engine recorded for one merge: nothing of it depends on how fast the adapter is. */
export interface Counted {
  readonly title: string;
  /** Bytes read from device memory by passes over the elements, over their size: base, then the models. */
  readonly readings: readonly number[];
  readonly submissions: number;
  /** Selections from a bracket that missed. */
  readonly missed: number;
}

/** How often a device had nothing to do in the middle of a merge of several tensors, and for how long. */
export interface Idle {
  readonly title: string;
  readonly times: number;
  readonly seconds: number;
}

export interface Report {
  readonly adapter: string;
  /** Values of the tensor that every row goes over once. */
  readonly elements: number;
  /** How often a whole TIES merge at (0.2, 1.0) reads that input from device memory which it reads most; counted, not timed. */
  readonly inputReadings?: number;
  /** What is left of a device's time where several tensors are merged. */
  readonly idle?: readonly Idle[];
  /** What whole merges ask of a device. */
  readonly counted?: readonly Counted[];
  readonly measurements: readonly Measurement[];
}

/** No row repeats for longer than this, so that a slow adapter ends too. */
const LIMIT_SECONDS = 20;

/**
 * Runs `work` once to warm up and up to `repetitions` times for the record; a first run of over half the limit is the record. Nobody
 * times what `before` does before each.
 */
export async function measure(
  name: string,
  bytes: number,
  repetitions: number,
  work: () => Promise<void>,
  { before, ...more }: { readonly before?: () => Promise<void>; readonly elements?: number; readonly against?: string } = {},
): Promise<Measurement> {
  await before?.();
  const first = await timed(work);
  if (first > LIMIT_SECONDS / 2) return { name, bytes, ...more, seconds: [first] };
  const seconds: number[] = [];
  const end = performance.now() + 1000 * LIMIT_SECONDS;
  while (seconds.length < repetitions && (seconds.length === 0 || performance.now() < end)) {
    await before?.();
    seconds.push(await timed(work));
  }
  return { name, bytes, ...more, seconds };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** Several things in turns, so that what else the machine does meets all of them alike. */
export async function measureInTurns(works: readonly { readonly name: string; work(): Promise<void> }[], bytes: number, repetitions: number, elements?: number): Promise<Measurement[]> {
  for (const { work } of works) await work();
  const seconds: number[][] = works.map(() => []);
  for (let i = 0; i < repetitions; i++) for (const [w, { work }] of works.entries()) seconds[w]!.push(await timed(work));
  return works.map(({ name }, w) => ({ name, bytes, ...(elements === undefined ? {} : { elements }), seconds: seconds[w]! }));
}
