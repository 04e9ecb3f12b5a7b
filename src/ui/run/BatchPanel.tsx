import { useEffect, useMemo, useState } from 'react';
import { readsDensity } from '../../recipe/methods';
import { gridEntries, MAX_DENSITIES, PAPER_GRID, readDensities, snapshotEntries } from '../../state/batch';
import { isMergeable } from '../../state/decisions';
import { isBusy } from '../../state/types';
import type { BatchPlanned } from '../../state/job';
import type { BatchRequestEntry } from '../../worker/protocol';
import { plural, showName } from '../format';
import { ErrorNotice } from '../Notice';
import { useModels, useNameOf } from '../names';
import { Panel } from '../shell/Panel';
import { useController, useStudio } from '../studio';
import { batchWords } from './batch-words';
import { DestinationPicker } from './DestinationPicker';

/** Milliseconds that the choice rests before it is planned. */
const REST_MS = 250;

/** Several recipes over the open checkpoints, a folder each. */
export function BatchPanel() {
  const controller = useController();
  const models = useModels();
  const nameOf = useNameOf();
  const decisions = useStudio((state) => state.decisions);
  const snapshots = useStudio((state) => state.snapshots);
  const checkpoints = useStudio((state) => state.checkpoints);
  const folder = useStudio((state) => state.target.folder);
  const busy = useStudio((state) => isBusy(state.job));
  const { recipe } = decisions.present;
  const hasGrid = models.length > 1 && readsDensity(recipe.method) && isMergeable(decisions.present);
  const [wanted, setKind] = useState<'grid' | 'snapshots'>('grid');
  const kind = hasGrid ? wanted : 'snapshots';
  const [axes, setAxes] = useState<readonly [number, number]>([0, 1]);
  const [text, setText] = useState(PAPER_GRID.join(', '));
  const densities = readDensities(text);
  const [x, y] = axes.map((at) => models[at]?.id);

  const entries = useMemo((): BatchRequestEntry[] => {
    if (kind === 'snapshots') return snapshotEntries({ snapshots, checkpoints, decisions });
    return densities === null || x === undefined || y === undefined || x === y ? [] : gridEntries(decisions.present, [x, y], densities, nameOf);
    // `densities` is made anew from `text` each time.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [kind, text, x, y, decisions, snapshots, checkpoints, nameOf]);
  const { plan, problem } = useBatchPlan(entries);
  const start = () => {
    controller.closePanel();
    void controller.exportBatch(entries);
  };
  const select = (axis: 0 | 1) => (
    <select aria-label={axis === 0 ? 'First model of the grid' : 'Second model of the grid'} value={axes[axis]} onChange={(event) => setAxes(axis === 0 ? [Number(event.target.value), axes[1]] : [axes[0], Number(event.target.value)])}>
      {models.map(({ id, name }, i) => (
        <option key={id} value={i} disabled={axes[1 - axis] === i}>
          {showName(name, 30)}
        </option>
      ))}
    </select>
  );
  return (
    <Panel title="Export several" opener="batch-button">
      <div className="segments" role="group" aria-label="What is exported">
        <label>
          <input type="radio" name="batch" checked={kind === 'grid'} disabled={!hasGrid} onChange={() => setKind('grid')} />
          Grid of densities
        </label>
        <label>
          <input type="radio" name="batch" checked={kind === 'snapshots'} onChange={() => setKind('snapshots')} />
          Snapshots ({snapshots.list.length})
        </label>
      </div>
      {kind === 'grid' ? (
        <>
          <label className="pair">
            <span>k of</span>
            {select(0)}
          </label>
          <label className="pair">
            <span>against k of</span>
            {select(1)}
          </label>
          <label className="pair">
            <span>densities</span>
            <input type="text" className="field" aria-label="Densities of the grid" aria-invalid={densities === null} value={text} onChange={(event) => setText(event.target.value)} />
          </label>
          {densities === null && <p className="field-problem">One to {MAX_DENSITIES} numbers above 0 and up to 1, with commas between them.</p>}
        </>
      ) : (
        entries.length === 0 && <p className="quiet-text">{snapshots.list.length === 0 ? 'No snapshot is kept: keep recipes under Snapshots in the recipe first.' : 'The checkpoints of the snapshots are not all open.'}</p>
      )}
      {entries.length > 0 && (
        <p className="quiet-text">
          Folders {entries.length > 3 ? `${entries.slice(0, 2).map(({ folder: name }) => name).join(', ')}, … ${entries.at(-1)!.folder}` : entries.map(({ folder: name }) => name).join(', ')}, each complete with config, tokenizer and card, and results.csv for the scores: fill it in and drop it here, and the Surface is coloured by it.
        </p>
      )}
      <DestinationPicker single={false} />
      {problem !== null && <ErrorNotice error={problem} />}
      {plan !== null && <p>{batchWords(plan, folder === null)}</p>}
      <div className="row">
        <button type="button" className="button primary" disabled={plan === null || busy} onClick={start}>
          Export {plural(entries.length, 'merge')}
        </button>
      </div>
    </Panel>
  );
}

/** What the entries would take; null while that is not known. */
function useBatchPlan(entries: readonly BatchRequestEntry[]): BatchPlanned {
  const controller = useController();
  const [answer, setAnswer] = useState<(BatchPlanned & { readonly of: readonly BatchRequestEntry[] }) | null>(null);
  useEffect(() => {
    if (entries.length === 0) return;
    let isWanted = true;
    const timer = setTimeout(() => {
      void controller.planBatch(entries).then((planned) => isWanted && setAnswer({ of: entries, ...planned }));
    }, REST_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [entries, controller]);
  return answer?.of === entries && entries.length > 0 ? answer : { plan: null, problem: null };
}
