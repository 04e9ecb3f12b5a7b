/** One thing measured; the contract between the page of measurements and bench/run.mjs. */
export interface Measurement {
  /** What was measured, as the row of the table says it. */
  readonly name: string;
  /** Bytes that went through once, the unit of throughput; 0 where bytes mean nothing. */
  readonly bytes: number;
  /** Seconds of each repetition, after one that is thrown away. */
  readonly seconds: readonly number[];
}

export interface Report {
  readonly adapter: string;
  readonly measurements: readonly Measurement[];
}

/** No row repeats for longer than this, so that a slow adapter ends too. */
const LIMIT_SECONDS = 20;

/** Runs `work` once to warm up and up to `repetitions` times for the record. */
export async function measure(name: string, bytes: number, repetitions: number, work: () => Promise<void>): Promise<Measurement> {
  await work();
  const seconds: number[] = [];
  const end = performance.now() + 1000 * LIMIT_SECONDS;
  while (seconds.length < repetitions && (seconds.length === 0 || performance.now() < end)) {
    const began = performance.now();
    await work();
    seconds.push((performance.now() - began) / 1000);
  }
  return { name, bytes, seconds };
}
