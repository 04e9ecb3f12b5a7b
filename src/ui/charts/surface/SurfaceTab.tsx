import { useMemo, useState } from 'react';
import { sumFigures } from '../../../analysis/aggregate';
import { FINE_DENSITIES, PAPER_DENSITIES, SURFACE_FIGURES, surfaceTable, type SurfaceFigure } from '../../../analysis/surface';
import { trimsAndElects } from '../../../recipe/methods';
import { scopeOf } from '../../../recipe/resolve';
import { ErrorNotice } from '../../Notice';
import { useModels } from '../../names';
import { useStudio } from '../../studio';
import { showName } from '../../format';
import { ChartFigure } from '../ChartFigure';
import { useCompared } from '../compared';
import { metricLabel } from '../labels';
import { ScopePicker } from '../ScopePicker';
import { isInScope, scopeName, tensorsOf } from '../selection';
import type { TabProps } from '../types';
import { useShown } from '../useShown';
import { useSize } from '../useSize';
import { ScoreFigure } from './ScoreFigure';
import { SurfaceMap } from './SurfaceMap';
import { metricOf, useSurface } from './useSurface';
import './surface.css';

/** Before the name of a score among the values of the picker. */
const SCORE = 'score ';
const GRIDS = { paper: PAPER_DENSITIES, fine: FINE_DENSITIES } as const;

/** What every pair of densities would discard, and the present pair as a point to be dragged over it. */
export function SurfaceTab({ data, view, onView }: TabProps) {
  const { names, models, preferred } = data;
  const labels = useModels();
  const [grid, setGrid] = useShown<keyof typeof GRIDS>('grid', 'paper', ['paper', 'fine']);
  const [figure, setFigure] = useShown<SurfaceFigure>('surface', 'discardedX', SURFACE_FIGURES);
  const [chosen, setChosen] = useShown<string>('axes', '');
  const [x, y] = axesOf(chosen, preferred, models.length);
  const rescale = useStudio((state) => state.decisions.present.recipe.rescale);
  const results = useStudio((state) => state.results);
  // Of the table that is open: what was chosen of another is forgotten with it.
  const [picked, setPicked] = useState<{ readonly of: typeof results; readonly metric: string | null }>({ of: null, metric: null });
  const metric = results === null ? null : picked.of === results ? picked.metric : results.metrics[0]!;
  const method = useStudio((state) => state.decisions.present.recipe.method);
  const isPooled = useStudio((state) => scopeOf(state.decisions.present.recipe).trim === 'model');
  const sweeps = trimsAndElects(method);
  const possible = sweeps && !rescale && models.length > 1;
  const { surface, axes, loading, problem, waiting } = useSurface({ x, y, densities: GRIDS[grid], view, possible });
  const { ref, width, height } = useSize<HTMLDivElement>();
  const { layer, module, tensor } = view;
  const aggregate = useMemo(() => {
    const parts = tensorsOf(null, null, data.breakdown).filter((part) => isInScope({ layer, module, tensor }, part.tensor));
    return sumFigures(parts, models.length);
  }, [data.breakdown, models.length, layer, module, tensor]);
  const snapshot = useCompared(models);
  const compared = useMemo(() => {
    if (snapshot === null) return null;
    const parts = tensorsOf(null, null, snapshot.breakdown).filter((part) => isInScope({ layer, module, tensor }, part.tensor));
    return parts.length === 0 ? null : { of: snapshot, aggregate: sumFigures(parts, snapshot.densities.length) };
  }, [snapshot, layer, module, tensor]);
  const label = (one: SurfaceFigure) => {
    const { name, of } = metricLabel(metricOf(one, axes.x, axes.y), names);
    return `${name} / ${of}`;
  };
  if (!possible) return <p className="charts-state charts-quiet">{whyNot(sweeps, models.length)}</p>;
  const figurePicker = (
    <label className="charts-control">
      shows
      <select
        aria-label="Figure shown"
        value={metric === null ? figure : `${SCORE}${metric}`}
        onChange={({ target: { value } }) => {
          if (value.startsWith(SCORE)) setPicked({ of: results, metric: value.slice(SCORE.length) });
          else {
            setPicked({ of: results, metric: null });
            setFigure(value as SurfaceFigure);
          }
        }}
      >
        {SURFACE_FIGURES.map((one) => (
          <option key={one} value={one}>
            {label(one)}
          </option>
        ))}
        {results && (
          <optgroup label={showName(results.file, 60)}>
            {results.metrics.map((one) => (
              <option key={one} value={`${SCORE}${one}`}>
                {showName(one, 60)}
              </option>
            ))}
          </optgroup>
        )}
      </select>
    </label>
  );
  const axisPickers = models.length > 2 && (
    <span className="charts-control">
      {(['x', 'y'] as const).map((axis, at) => (
        <label key={axis}>
          {axis === 'x' ? 'across ' : 'up '}
          <select aria-label={axis === 'x' ? 'Model across' : 'Model up'} value={[x, y][at]} onChange={(event) => setChosen(withAxis([x, y], at, Number(event.target.value)).join(','))}>
            {names.map((name, i) => (
              <option key={name} value={i}>
                {name}
              </option>
            ))}
          </select>
        </label>
      ))}
    </span>
  );
  if (results !== null && metric !== null) {
    return (
      <ScoreFigure
        results={results}
        metric={metric}
        x={x}
        y={y}
        names={names}
        controls={
          <>
            {figurePicker}
            {axisPickers}
          </>
        }
      />
    );
  }
  const symbols = [labels[axes.x]?.symbol ?? '', labels[axes.y]?.symbol ?? ''] as const;
  return (
    <ChartFigure
      title="Densities"
      summary={`Surface of ${label(figure)} over the densities of ${names[axes.x]} and ${names[axes.y]}, ${scopeName(view)}`}
      fileName={`surface-${label(figure).replaceAll(/[^\w.-]+/g, '-')}`}
      table={() => surfaceTable(surface!, [`k_${symbols[0]}`, `k_${symbols[1]}`], label)}
      headings={2}
      legend={[]}
      empty={surface === null}
      note={
        problem && surface
          ? 'The surface of the present recipe could not be counted. This one is of the recipe before.'
          : isPooled && 'Counted with k as a share of each tensor: the recipe trims over the whole model, and the other charts show that.'
      }
      controls={
        <>
          {figurePicker}
          <ScopePicker breakdown={data.breakdown} view={view} onView={onView} />
          {axisPickers}
          <select aria-label="Grid" value={grid} onChange={(event) => setGrid(event.target.value as keyof typeof GRIDS)}>
            <option value="paper">6 × 6, the paper&rsquo;s</option>
            <option value="fine">41 × 41</option>
          </select>
        </>
      }
    >
      <div className="charts-fill" ref={ref} aria-busy={loading}>
        {problem && surface === null && <ErrorNotice error={problem} grave="warn" />}
        {!problem && surface === null && (
          <p className="charts-state charts-quiet" role="status">
            {waiting ? 'The surface is counted once the job has ended.' : 'Counting every pair of densities over the sample.'}
          </p>
        )}
        {surface && width > 0 && height > 0 && (
          <SurfaceMap
            surface={surface}
            figure={figure}
            x={axes.x}
            y={axes.y}
            names={names}
            symbols={symbols}
            aggregate={aggregate}
            compared={compared}
            width={width}
            height={height}
          />
        )}
      </div>
    </ChartFigure>
  );
}

/** The preferred model across and the first other one up, unless chosen otherwise. */
function axesOf(chosen: string, preferred: number, models: number): readonly [number, number] {
  const [x, y, ...others] = chosen.split(',').map(Number);
  const isModel = (one: number | undefined): one is number => Number.isInteger(one) && one! >= 0 && one! < models;
  if (isModel(x) && isModel(y) && x !== y && others.length === 0) return [x, y];
  return [preferred, preferred === 0 ? 1 : 0];
}

/** Two different models: taking the other axis's model swaps both. */
function withAxis(axes: readonly [number, number], at: number, model: number): readonly [number, number] {
  const other = axes[1 - at]! === model ? axes[at]! : axes[1 - at]!;
  return at === 0 ? [model, other] : [other, model];
}

function whyNot(sweeps: boolean, models: number): string {
  if (!sweeps) return 'Only TIES and TIES-SV keep the largest values of each model and elect a sign, so only they have a surface over two densities. Choose one of them on the right.';
  if (models < 2) return 'A surface has the densities of two models on its axes: open another model.';
  return 'With rescale every value depends on its density, so a surface cannot be counted at once. Switch rescale off to see it.';
}
