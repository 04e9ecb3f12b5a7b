/** Axes of a plot: from a value to a pixel and back. */
import { logTicks, ticksBetween } from '../../../analysis/scale';

export interface Tick {
  readonly at: number;
  readonly label: string;
  /** At an end of the axis, wider than its place: a line lower, from that end inwards. */
  readonly end?: 'first' | 'last';
}
export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  readonly ticks: readonly Tick[];
  readonly title: string;
}

/** Pixels from `from` (at min) to `to` (at max). Values outside go beyond. */
export function pixelOf({ min, max, log }: Axis, from: number, to: number): (value: number) => number {
  const along = log ? Math.log : (value: number) => value;
  const [a, b] = [along(min), along(max)];
  return (value) => from + ((along(value) - a) / (b - a)) * (to - from);
}

/** The inverse of `pixelOf`, kept within the axis. */
export function valueAt({ min, max, log }: Axis, from: number, to: number, pixel: number): number {
  const part = Math.min(1, Math.max(0, (pixel - from) / (to - from)));
  return log ? Math.exp(Math.log(min) + part * (Math.log(max) - Math.log(min))) : min + part * (max - min);
}

/** A linear axis over round numbers that hold [min, max]. */
export function linearAxis(min: number, max: number, title: string, label: (value: number) => string, intervals = 5): Axis {
  const ticks = ticksBetween(min, max, intervals);
  return { min: ticks[0]!, max: ticks.at(-1)!, log: false, title, ticks: ticks.map((at) => ({ at, label: label(at) })) };
}

/** Room left beside the first and last value of a logarithmic axis. */
const MARGIN = 1.25;

export function logAxis(min: number, max: number, title: string, label: (value: number) => string, most = 8): Axis {
  const [low, high] = [min / MARGIN, max * MARGIN];
  return { min: low, max: high, log: true, title, ticks: logTicks(low, high, most).map((at) => ({ at, label: label(at) })) };
}
