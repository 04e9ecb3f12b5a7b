/** What the accuracy report prints. */
import type { Aggregate } from '../../src/analysis/aggregate';
import { estimate } from '../../src/analysis/estimate';
import type { Metric } from '../../src/analysis/share';
import type { Row } from '../coverage';

export const METRICS: readonly (readonly [string, Metric])[] = [
  ['conflict', { kind: 'conflict' }],
  ['won by SFT', { kind: 'won', model: 0 }],
  ['won by CT', { kind: 'won', model: 1 }],
  ['discarded of SFT', { kind: 'discarded', model: 0 }],
  ['discarded of CT', { kind: 'discarded', model: 1 }],
  ['reserved', { kind: 'reserved', model: 0 }],
  ['discarded after slack', { kind: 'afterSlack', model: 0 }],
];

export type Groups = ReadonlyMap<string, Aggregate>;

interface Deviation {
  readonly group: string;
  readonly truth: number;
  readonly error: number;
  /** Half the width of the interval. */
  readonly half: number;
  readonly isBound: boolean;
  readonly holds: boolean;
}

function deviationsOf(metric: Metric, exact: Groups, drawn: Groups): Deviation[] {
  return [...exact].map(([group, aggregate]) => {
    const truth = estimate(metric, aggregate).value!;
    const { value, interval } = estimate(metric, drawn.get(group)!);
    const { low, high, kind } = interval ?? { low: value!, high: value!, kind: 'two-sided' };
    // Of a known figure nothing but the last bit of a division may differ.
    const slip = 1e-9;
    return { group, truth, error: value! - truth, half: (high - low) / 2, isBound: kind === 'upper', holds: low <= truth + slip && truth <= high + slip };
  });
}

const percent = (share: number, digits = 3) => `${(100 * share).toFixed(digits)} %`;
const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(3)}`;
const halves = ({ error, half, isBound }: Deviation) => (isBound ? 'of a bound' : half < 1e-9 ? 'known' : (Math.abs(error) / half).toFixed(2));
const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) => [row(head), `|---|${'---:|'.repeat(head.length - 1)}`, ...rows.map(row)];

/** Per figure: the whole model, and the layers together. Errors in percentage points. */
export function summary(exact: Groups, drawn: Groups): string[] {
  const rows = METRICS.map(([name, metric]) => {
    const [total, ...layers] = deviationsOf(metric, exact, drawn);
    const rms = Math.sqrt(layers.reduce((sum, { error }) => sum + error * error, 0) / layers.length);
    const worst = layers.reduce((a, b) => (Math.abs(b.error) > Math.abs(a.error) ? b : a));
    const relative = layers.filter(({ half, isBound }) => half >= 1e-9 && !isBound).map(({ error, half }) => Math.abs(error) / half);
    return [
      name,
      percent(total!.truth),
      `${points(total!.error)} (${halves(total!)})`,
      rms === 0 ? '0' : (100 * rms).toFixed(3),
      `${points(worst.error)} (${worst.group})`,
      relative.length === 0 ? '–' : Math.max(...relative).toFixed(2),
      `${layers.filter(({ holds }) => holds).length} of ${layers.length}`,
    ];
  });
  return table(['figure', 'exact, whole model', 'error (half widths)', 'layers: root mean square error', 'largest', 'largest in half widths', 'intervals that hold it'], rows);
}

/** Every layer's every figure: error in percentage points, in half widths in brackets. */
export function perLayer(exact: Groups, drawn: Groups): string[] {
  const columns = METRICS.map(([, metric]) => deviationsOf(metric, exact, drawn));
  const rows = columns[0]!.map(({ group }, i) => [group, ...columns.map((own) => `${points(own[i]!.error)} (${halves(own[i]!)})`)]);
  return table(['layer', ...METRICS.map(([name]) => name)], rows);
}

/** Per figure over all draws: how many intervals hold the truth. */
export function coverage(rows: readonly Row[], draws: number): string[] {
  const of = METRICS.map(([name, metric]) => {
    const [total, ...layers] = rows.filter((own) => own.metric === metric);
    const held = layers.map(({ holds }) => holds / draws);
    const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    const off = mean(layers.map(({ values, truth }) => Math.sqrt(mean(values.map((value) => (value - truth) ** 2)))));
    const half = mean(layers.map((own) => mean(own.halves)));
    const bounds = mean(layers.map((own) => own.bounds / draws));
    return [name, percent(total!.holds / draws, 1), percent(mean(held), 1), percent(Math.min(...held), 1), percent(Math.max(...held), 1), (100 * off).toFixed(3), (100 * half).toFixed(3), percent(bounds, 1)];
  });
  return table(['figure', 'whole model', 'layers, mean', 'lowest layer', 'highest layer', 'root mean square error of a layer', 'half width of a layer', 'bounds'], of);
}
