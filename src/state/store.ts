/** The store: one object of slices, changed only by the controller. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { WireError } from '../bytes/errors';
import { noDecisions } from './decisions';
import { startHistory } from './history';
import { NO_SERIES } from './series-names';
import type { Snapshot, StudioState, Theme } from './types';

export type StudioStore = StoreApi<StudioState>;

export function createStudioStore(options: { theme?: Theme; canWriteFolders?: boolean; nowhere?: WireError | null; snapshots?: readonly Snapshot[]; memory?: number | null } = {}): StudioStore {
  const { theme = 'system', canWriteFolders = false, nowhere = null, snapshots = [], memory = null } = options;
  const unseen = { loading: false, problem: null, answer: null } as const;
  return createStore<StudioState>(() => ({
    checkpoints: { open: [], problems: [], ignored: [], opening: 0 },
    kin: [],
    decisions: startHistory(noDecisions()),
    draft: null,
    recipes: [],
    figures: { tensors: [], sample: null, loading: false, problem: null },
    views: { surface: unseen, slackCurve: unseen, effect: unseen, distribution: unseen },
    comparedViews: { effect: null, slackCurve: null },
    hover: null,
    plan: { summary: null, loading: false, problem: null },
    rates: null,
    job: { status: 'idle' },
    target: { folder: null, replace: false, recheck: false, canWriteFolders, nowhere, older: [], unfinished: null, stored: [], left: [], problem: null },
    backend: { choice: 'auto', report: null, problem: null, starting: false, measuring: false, memory: { chosen: memory, automatic: null } },
    worker: { problem: null, restarting: false },
    results: null,
    offline: { kept: false, update: false },
    view: { chart: { tab: 'layers', layer: null, module: null, tensor: null, shown: {} }, theme, panel: null },
    wanted: null,
    unlike: [],
    kept: [],
    estimates: {},
    series: NO_SERIES,
    wantedSeries: NO_SERIES,
    snapshots: { list: snapshots, compared: null },
  }));
}
