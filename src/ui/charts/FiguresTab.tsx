import { CompareTable } from './CompareTable';
import { useCompared } from './compared';
import { SummaryTable } from './SummaryTable';
import { TensorTable } from './TensorTable';
import type { TabProps } from './types';
import './tables.css';

/** All numbers: the whole model per figure and model, and every tensor. */
export function FiguresTab({ data, view, onView }: TabProps) {
  const compared = useCompared(data.models);
  return (
    <div className="charts-figures">
      {compared !== null && <CompareTable data={data} view={view} compared={compared} />}
      <SummaryTable data={data} />
      <TensorTable data={data} view={view} onView={onView} />
    </div>
  );
}
