/** How far a merge is, from what the worker counts. */
import type { MergeProgress } from '../worker/protocol';

export interface Pace {
  /** Share of the whole work, 0 to 1: reading, writing and re-reading what was written weigh by their bytes. */
  readonly share: number;
  /** Seconds to go at the mean pace so far; null in the first second, when there is none. */
  readonly secondsLeft: number | null;
  /** Bytes per second read so far; null before anything was read. */
  readonly readRate: number | null;
  /** Share of the elapsed time each activity was under way, 0 to 1; they overlap. */
  readonly reading: number;
  readonly computing: number;
  readonly writing: number;
  /** The activity that was under way longest: what to speed up. */
  readonly bottleneck: 'reading' | 'computing' | 'writing' | null;
}

const LEAST_MS = 1000;

export function paceOf(progress: MergeProgress): Pace {
  const { bytesRead, bytesReadTotal, bytesWritten, bytesWrittenTotal, bytesVerified, elapsedMs, readingMs, computingMs, writingMs } = progress;
  // Verification reads what was written once more.
  const total = bytesReadTotal + 2 * bytesWrittenTotal;
  const done = bytesRead + bytesWritten + bytesVerified;
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const part = (milliseconds: number) => (elapsedMs === 0 ? 0 : Math.min(1, milliseconds / elapsedMs));
  const activities = [
    ['reading', readingMs],
    ['computing', computingMs],
    ['writing', writingMs],
  ] as const;
  const longest = activities.reduce((most, one) => (one[1] > most[1] ? one : most));
  return {
    share,
    secondsLeft: elapsedMs < LEAST_MS || share === 0 ? null : (elapsedMs / 1000) * (1 / share - 1),
    readRate: bytesRead === 0 || elapsedMs === 0 ? null : bytesRead / (elapsedMs / 1000),
    reading: part(readingMs),
    computing: part(computingMs),
    writing: part(writingMs),
    bottleneck: longest[1] === 0 ? null : longest[0],
  };
}
