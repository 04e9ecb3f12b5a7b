/** The tabs over the charts, in their order; their panels are in ChartsPane. */
import type { ChartView } from '../../state/types';

export const CHART_TABS: readonly { readonly tab: ChartView['tab']; readonly label: string }[] = [
  { tab: 'layers', label: 'Layers' },
  { tab: 'modules', label: 'Modules' },
  { tab: 'map', label: 'Map' },
  { tab: 'surface', label: 'Surface' },
  { tab: 'series', label: 'Series' },
  { tab: 'slack', label: 'Slack' },
  { tab: 'effect', label: 'Effect' },
  { tab: 'figures', label: 'Figures' },
];
