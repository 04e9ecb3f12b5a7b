import type { ReactNode } from 'react';
import type { Table } from '../../../analysis/table';
import type { Results } from '../../../recipe/results';
import { useModels } from '../../names';
import { useController, useStudio } from '../../studio';
import { showName } from '../../format';
import { ChartFigure } from '../ChartFigure';
import { useSize } from '../useSize';
import { ScoreMap } from './ScoreMap';
import { scorePlane, type ScorePlane } from './scores';

interface ScoreFigureProps {
  readonly results: Results;
  readonly metric: string;
  /** Models on the axes. */
  readonly x: number;
  readonly y: number;
  readonly names: readonly string[];
  readonly controls: ReactNode;
}

/** Characters of a name from the table: it stands beside the chart's controls, and in a file's name. */
const LONGEST = 60;

/** Scores of a dropped table over two densities, for the recipe as it is otherwise. */
export function ScoreFigure({ results, metric, x, y, names, controls }: ScoreFigureProps) {
  const controller = useController();
  const labels = useModels();
  const recipe = useStudio((state) => state.decisions.present.recipe);
  const { ref, width, height } = useSize<HTMLDivElement>();
  const plane = scorePlane(results, metric, recipe, labels, [x, y]);
  const [file, shown] = [showName(results.file, LONGEST), showName(metric, LONGEST)];
  const symbols = [labels[x]?.symbol ?? '', labels[y]?.symbol ?? ''] as const;
  const [kx, ky] = [recipe.models[x]?.density, recipe.models[y]?.density];
  return (
    <ChartFigure
      title="Scores"
      summary={`${shown} of ${file} over the densities of ${names[x]} and ${names[y]}`}
      fileName={`scores-${metric.replaceAll(/[^\w.-]+/g, '-').slice(0, LONGEST)}`}
      table={() => scoreTable(plane!, shown, symbols)}
      headings={2}
      legend={[]}
      empty={plane === null}
      note={plane && plane.others > 0 ? `${plane.others} of the table's rows are of other recipes: another method, lambda, slack or density of a third model.` : undefined}
      controls={
        <>
          {controls}
          <button type="button" className="button quiet small" onClick={() => controller.closeResults()}>
            Close {file}
          </button>
        </>
      }
    >
      <div className="charts-fill" ref={ref}>
        {plane === null ? (
          <p className="charts-state charts-quiet">
            No row of {file} is of this recipe. Its densities must be in columns called &ldquo;density of {showName(labels[x]?.name ?? '', LONGEST)}&rdquo; and &ldquo;density of {showName(labels[y]?.name ?? '', LONGEST)}&rdquo; (or k_{symbols[0]} and k_
            {symbols[1]}), and its method, lambda and slack those on the right.
          </p>
        ) : (
          width > 0 &&
          height > 0 && (
            <ScoreMap
              plane={plane}
              metric={shown}
              models={[x, y]}
              names={[names[x]!, names[y]!]}
              symbols={symbols}
              present={typeof kx === 'number' && typeof ky === 'number' ? [kx, ky] : null}
              width={width}
              height={height}
            />
          )
        )}
      </div>
    </ChartFigure>
  );
}

function scoreTable({ densities, cells }: ScorePlane, metric: string, symbols: readonly [string, string]): Table {
  return {
    columns: [
      { label: `k_${symbols[0]}`, kind: 'text' },
      { label: `k_${symbols[1]}`, kind: 'text' },
      { label: 'folder', kind: 'text' },
      { label: metric, kind: 'number' },
    ],
    rows: cells.map(({ ix, iy, value, row }) => [
      { kind: 'text', text: String(densities[0][ix]) },
      { kind: 'text', text: String(densities[1][iy]) },
      { kind: 'text', text: row.folder ?? '' },
      { kind: 'number', value },
    ]),
  };
}
