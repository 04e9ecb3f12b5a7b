/** What the pane shows around and instead of charts: how exact the figures are, that they are being read, that there are none. */
import type { Aggregate } from '../../analysis/aggregate';
import { formatBytes } from '../format';
import { useStudio } from '../studio';
import type { ChartModel } from './types';

interface ExactnessChipProps {
  readonly total: Aggregate;
  readonly loading: boolean;
  readonly outdated: boolean;
  /** Whether the chart below is drawn from the sample even where tensors have been counted whole. */
  readonly sampled: boolean;
}

export function ExactnessChip({ total, loading, outdated, sampled }: ExactnessChipProps) {
  const { exactTensors, tensors } = total;
  const sample = useStudio((state) => state.figures.sample);
  const exactness = sampled && sample !== null && sample.values < sample.of ? 'estimate' : total.exactness;
  const from = sample === null ? 'a sample' : `${drawnOf(sample.values / sample.of)} of values, ${formatBytes(sample.bytes)} read`;
  const state = outdated ? 'outdated' : exactness;
  const text = {
    exact: `Exact: all ${tensors} tensors`,
    estimate: `Estimate: ${from}`,
    partial: `${exactTensors} of ${tensors} tensors exact, else ${from}`,
    outdated: 'Of the recipe before, not of this one',
  }[state];
  return (
    <p className="charts-chip" role="status" title={text} data-exactness={state}>
      {loading && <span className="charts-spinner" aria-hidden="true" />}
      <span className="label">{text}</span>
      {loading && <span className="charts-hidden">, updating</span>}
    </p>
  );
}

/** Two significant digits: `0.53 %`, `12 %`. */
const drawnOf = (share: number) => `${Number((share * 100).toPrecision(2))}\u00a0%`;

/** Heights in percent of the skeleton's bars: the shape of a chart, plainly not data. */
const SKELETON = [38, 52, 61, 57, 64, 60, 66, 58, 50, 44];

export function Skeleton({ models }: { models: readonly ChartModel[] }) {
  return (
    <div className="charts-state" role="status">
      <div className="charts-skeleton" aria-hidden="true">
        {SKELETON.map((height, i) => (
          <span key={i} style={{ height: `${height}%` }} />
        ))}
      </div>
      <p>Reading a sample of every tensor of the base and of {inWords(models.map(({ name }) => name))}.</p>
      <p className="charts-quiet">The first charts follow in moments; moving a slider later reads nothing again.</p>
    </div>
  );
}

export function NoFigures({ models }: { models: number }) {
  return (
    <div className="charts-state">
      <p>No figures yet.</p>
      <p className="charts-quiet">
        {models < 2
          ? 'Open a base and at least two models made from it. The charts show where they pull in opposite directions, and what each would lose.'
          : 'The charts fill in once the checkpoints fit together and the recipe is valid. What stands in the way is named beside them.'}
      </p>
    </div>
  );
}

function inWords(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? 'the models';
  return `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]!}`;
}
