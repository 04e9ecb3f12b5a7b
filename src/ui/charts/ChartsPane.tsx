import { useMemo, useRef, type ComponentType, type KeyboardEvent } from 'react';
import { breakDown } from '../../analysis/aggregate';
import { placeOf } from '../../checkpoint/places';
import { needsBase, traitsOf } from '../../recipe/methods';
import './charts.css';
import { ExactnessChip, NoFigures, Skeleton } from './ChartStates';
import { FiguresTab } from './FiguresTab';
import { MODULES, shortNames, withShownName } from './labels';
import { LayersTab } from './LayersTab';
import { MapTab } from './MapTab';
import { ModulesTab } from './ModulesTab';
import { EffectTab } from './effect/EffectTab';
import { SeriesTab } from './series/SeriesTab';
import { SlackTab } from './slack/SlackTab';
import { SurfaceTab } from './surface/SurfaceTab';
import { DetailStrip } from './DetailStrip';
import { CHART_TABS } from './tab-names';
import type { ChartData, ChartsPaneProps, ChartsView, TabProps } from './types';

export type { ChartsPaneProps } from './types';

/** One for every tab of CHART_TABS. */
const PANELS: Partial<Record<ChartsView['tab'], ComponentType<TabProps>>> = {
  layers: LayersTab,
  modules: ModulesTab,
  map: MapTab,
  surface: SurfaceTab,
  series: SeriesTab,
  slack: SlackTab,
  effect: EffectTab,
  figures: FiguresTab,
};

/** What is selected stands beside these; the others say themselves what they are of. */
const WITH_DETAIL: ReadonlySet<ChartsView['tab']> = new Set(['layers', 'modules', 'map', 'figures']);

/** Sweeps over densities, slack and weights: no counting of one recipe makes these exact. */
const FROM_SAMPLE: ReadonlySet<ChartsView['tab']> = new Set(['surface', 'slack', 'effect']);

/** The charts of a merge: conflicts and what each model loses, per layer, per module, per cell and in numbers. */
export function ChartsPane({ tensors, models: given, method, preferred, loading, outdated, view, onView }: ChartsPaneProps) {
  const models = useMemo(() => given.map(withShownName), [given]);
  const data = useMemo((): ChartData => {
    // For a moment after a model joins or leaves, figures are still those of the recipe before.
    const fitting = tensors.filter(({ figures }) => figures.kept.length === models.length);
    const breakdown = breakDown(fitting, placeOf, MODULES, models.length);
    const { elects: electing } = traitsOf(method);
    const names = shortNames(models);
    // A method that sums values needs no base, and its first model takes the base's part.
    const reference = !needsBase(method) ? (names[0] ?? '') : 'base';
    return { breakdown, models, names, reference, preferred, electing, slack: electing && breakdown.total.figures.reserved > 0 };
  }, [tensors, models, method, preferred]);

  const { total } = data.breakdown;
  const isSelected = view.layer !== null || view.module !== null || view.tensor !== null;
  // A link may name a tab that another version of the page has.
  const tab = PANELS[view.tab] ? view.tab : 'layers';
  const Panel = PANELS[tab] ?? LayersTab;
  return (
    <section className="charts" aria-label="Charts" aria-busy={loading}>
      <header className="charts-head">
        <TabList active={tab} onPick={(next) => onView({ tab: next })} />
        {total.tensors > 0 && <ExactnessChip total={total} loading={loading} outdated={outdated} sampled={FROM_SAMPLE.has(tab)} />}
      </header>
      <div className="charts-panel" role="tabpanel" id="charts-panel" aria-labelledby={`charts-tab-${tab}`}>
        {total.tensors > 0 ? (
          <>
            <Panel data={data} view={view} onView={onView} />
            {WITH_DETAIL.has(tab) && isSelected && <DetailStrip data={data} view={view} onView={onView} />}
          </>
        ) : loading ? (
          <Skeleton models={models} />
        ) : (
          <NoFigures models={models.length} />
        )}
      </div>
    </section>
  );
}

type Tab = ChartsView['tab'];

function TabList({ active, onPick }: { active: Tab; onPick: (tab: Tab) => void }) {
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = CHART_TABS.findIndex(({ tab }) => tab === active);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: CHART_TABS.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const index = (to + CHART_TABS.length) % CHART_TABS.length;
    onPick(CHART_TABS[index]!.tab);
    (list.current!.children[index] as HTMLElement).focus();
  };
  return (
    <div className="charts-tabs" role="tablist" aria-label="Chart" ref={list} onKeyDown={onKeyDown}>
      {CHART_TABS.map(({ tab, label }) => (
        <button
          key={tab}
          type="button"
          role="tab"
          id={`charts-tab-${tab}`}
          aria-selected={tab === active}
          aria-controls="charts-panel"
          tabIndex={tab === active ? 0 : -1}
          onClick={() => onPick(tab)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
