import { useRef, useState, type ReactNode } from 'react';
import { toCsv, type Table } from '../../analysis/table';
import { DataTable } from './DataTable';
import { Legend, type LegendItem } from './Legend';
import { paperSvg, savePng, saveText } from './saving';

interface ChartFigureProps {
  readonly title: string;
  /** The main numbers in words: the figure's accessible name and the title of a saved SVG. */
  readonly summary: string;
  /** Without extension. */
  readonly fileName: string;
  /** Made when asked for: sliders redraw the chart often, its table seldom. */
  readonly table: () => Table;
  /** Columns of the table that name a row. */
  readonly headings: number;
  readonly legend: readonly LegendItem[];
  readonly controls?: ReactNode;
  readonly note?: ReactNode;
  /** True while there is nothing to draw, save or list yet. */
  readonly empty?: boolean;
  /** Holds one `<svg>`, the chart. */
  readonly children: ReactNode;
}

/** A chart with its title, legend, table and the buttons that save it. */
export function ChartFigure(props: ChartFigureProps) {
  const { title, summary, fileName, table, headings, legend, controls, note, empty = false, children } = props;
  const [asTable, setAsTable] = useState(false);
  const [failed, setFailed] = useState(false);
  const stage = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);

  const drawn = () => paperSvg(stage.current!.querySelector('svg')!, list.current, summary);
  const saveImage = async () => {
    setFailed(false);
    try {
      await savePng(`${fileName}.png`, drawn());
    } catch {
      setFailed(true);
    }
  };
  return (
    <figure className="charts-figure" role="group" aria-label={summary}>
      <figcaption>
        <h3>{title}</h3>
        {controls}
        <div className="charts-tools" role="group" aria-label={`Save or read: ${title}`}>
          <button type="button" aria-pressed={asTable} disabled={empty} onClick={() => setAsTable(!asTable)}>
            Show as table
          </button>
          <button type="button" aria-label="Save as CSV" disabled={empty} onClick={() => saveText(`${fileName}.csv`, 'text/csv', toCsv(table()))}>
            CSV
          </button>
          <button
            type="button"
            aria-label="Save as SVG"
            disabled={asTable || empty}
            onClick={() => saveText(`${fileName}.svg`, 'image/svg+xml', drawn())}
          >
            SVG
          </button>
          <button type="button" aria-label="Save as PNG" disabled={asTable || empty} onClick={() => void saveImage()}>
            PNG
          </button>
        </div>
      </figcaption>
      {failed && (
        <p role="alert" className="charts-alert">
          This browser could not draw the PNG. Save the SVG instead: it holds the same chart.
        </p>
      )}
      {asTable && !empty ? (
        <DataTable table={table()} caption={title} headings={headings} />
      ) : (
        <div className="charts-stage" ref={stage}>
          {children}
        </div>
      )}
      {!asTable && legend.length > 0 && <Legend items={legend} ref={list} />}
      {note && <p className="charts-note">{note}</p>}
    </figure>
  );
}
