import { useCallback, useMemo } from 'react';
import { figuresTable } from '../../analysis/table';
import { pairsOf, type Metric } from '../../analysis/share';
import { ChartFigure } from './ChartFigure';
import { useCompared } from './compared';
import { barMetrics, describe, metricLabel } from './labels';
import { differenceMeasure, plainMeasure } from './map-measure';
import { MapGrid } from './MapGrid';
import { cellOf } from './selection';
import type { ChartData, MapCell, TabProps } from './types';
import { useShown } from './useShown';
import { useSize } from './useSize';
import './map.css';

/** Layer x module heat map of any one figure; a selected cell shows its tensors' own figures beside it. */
export function MapTab({ data, view, onView }: TabProps) {
  const { breakdown, names } = data;
  const { ref, width, height } = useSize<HTMLDivElement>();
  const metrics = useMemo(() => mapMetrics(data), [data]);
  const [chosen, setChosen] = useShown<string>('map', 'conflict');
  const metric = metrics.find((one) => metricKey(one) === chosen) ?? metrics[0]!;
  const { name, of } = metricLabel(metric, names);
  const compared = useCompared(data.models);
  const apart = useMemo(() => compared && differenceMeasure(breakdown, metric, names, compared), [breakdown, metric, names, compared]);
  const plain = useMemo(() => plainMeasure(breakdown, metric, names), [breakdown, metric, names]);
  const measure = apart ?? plain;
  const selected = cellOf(view, breakdown);
  const onPick = useCallback(
    ({ layer, module, parts }: MapCell) => onView({ layer, module, tensor: parts[0]?.tensor ?? null }),
    [onView],
  );
  return (
    <div className="charts-map">
      <ChartFigure
        title="Layer by module"
        summary={`${apart ? `Difference from ${compared!.name}, map` : 'Map'} of ${name} / ${of}, layer by module; whole model: ${describe(breakdown.total, [metric], names)}`}
        fileName={`map-${`${name} of ${of}`.replaceAll(/[^\w.-]+/g, '-')}`}
        table={() =>
          figuresTable(
            breakdown.cells.map(({ layer, module, aggregate }) => ({ labels: [layer === null ? 'outside' : String(layer), module], aggregate })),
            { headings: ['Layer', 'Module'], models: names, preferred: data.preferred, electing: data.electing },
          )
        }
        headings={2}
        legend={[]}
        note={compared && apart === null ? `${compared.name} has no such figure, so there is no difference to show.` : undefined}
        controls={
          <label className="charts-control">
            shows
            <select aria-label="Figure shown" value={metricKey(metric)} onChange={(event) => setChosen(event.target.value)}>
              {metrics.map((one) => {
                const label = metricLabel(one, names);
                return (
                  <option key={metricKey(one)} value={metricKey(one)}>
                    {label.name} / {label.of}
                  </option>
                );
              })}
            </select>
          </label>
        }
      >
        <div className="charts-fill" ref={ref}>
          {width > 0 && height > 0 && (
            <MapGrid
              breakdown={breakdown}
              metric={metric}
              measure={measure}
              names={names}
              selected={selected}
              width={width}
              height={height}
              onPick={onPick}
            />
          )}
        </div>
      </ChartFigure>
    </div>
  );
}

const metricKey = (metric: Metric) => Object.values(metric).join(':');

/** Conflict, by pairs where there are several, elected and discarded of every model, and the slack's where it acts. */
function mapMetrics(data: ChartData): Metric[] {
  const bars = barMetrics(data);
  if (!data.electing) return bars;
  const others = data.models.map((_, model) => model).filter((model) => model !== data.preferred);
  const pairs = data.models.length > 2 ? pairsOf(data.models.length) : [];
  return [...bars, ...others.map((model): Metric => ({ kind: 'discarded', model })), ...pairs];
}
