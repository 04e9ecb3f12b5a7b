/** What the page keeps beside the one recipe it edits: the series it draws, the snapshots it compares. */
import type { StudioStore } from './store';
import { withSwapped } from './decisions';
import { MAX_SNAPSHOTS, MAX_SNAPSHOT_NAME, fulfilSnapshot, snapshotOf } from './snapshots';
import type { Decisions, SeriesState, SnapshotsState } from './types';

export interface BesideControls {
  setSeries(patch: Partial<SeriesState>): void;
  /** Tokens of a checkpoint by hand; null: as its name says. */
  setTokens(id: string, tokens: number | null): void;
  /** Puts a checkpoint into the series or takes it out. */
  setInSeries(id: string, included: boolean): void;
  /** Merges `to` instead of `from`, with the same settings; one step of undo. */
  mergeInstead(from: string, to: string): void;
  /** Keeps the present recipe and choices; an empty name is made from the recipe. False when there is no room or nothing to keep. */
  keepSnapshot(name: string): boolean;
  renameSnapshot(id: number, name: string): void;
  deleteSnapshot(id: number): void;
  /** One step of undo. Nothing happens while a checkpoint it needs is not open. */
  applySnapshot(id: number): void;
  /** Null: none. */
  compareWith(id: number | null): void;
}

/** `edit` is one step of undo. */
export function createBesideControls(store: StudioStore, edit: (apply: (decisions: Decisions) => Decisions) => void): BesideControls {
  const setSeries = (patch: Partial<SeriesState>) => store.setState(({ series }) => ({ series: { ...series, ...patch } }));
  const setSnapshots = (patch: Partial<SnapshotsState>) => store.setState(({ snapshots }) => ({ snapshots: { ...snapshots, ...patch } }));
  return {
    setSeries,
    setTokens(id, tokens) {
      const { [id]: _former, ...others } = store.getState().series.tokens;
      setSeries({ tokens: tokens === null ? others : { ...others, [id]: tokens } });
    },
    setInSeries: (id, included) => setSeries({ members: { ...store.getState().series.members, [id]: included } }),
    mergeInstead(from, to) {
      const { series, checkpoints } = store.getState();
      edit((now) => withSwapped(now, from, to, checkpoints.open));
      if (series.along === from) setSeries({ along: to });
    },
    keepSnapshot(name) {
      const { snapshots, decisions, checkpoints } = store.getState();
      if (snapshots.list.length >= MAX_SNAPSHOTS || decisions.present.recipe.models.length === 0) return false;
      const id = Math.max(0, ...snapshots.list.map((one) => one.id)) + 1;
      const kept = snapshotOf(decisions.present, checkpoints.open, id, name);
      if (kept !== null) setSnapshots({ list: [...snapshots.list, kept] });
      return kept !== null;
    },
    renameSnapshot(id, name) {
      const own = name.trim().slice(0, MAX_SNAPSHOT_NAME);
      if (own !== '') setSnapshots({ list: store.getState().snapshots.list.map((one) => (one.id === id ? { ...one, name: own } : one)) });
    },
    deleteSnapshot(id) {
      const { list, compared } = store.getState().snapshots;
      setSnapshots({ list: list.filter((one) => one.id !== id), compared: compared === id ? null : compared });
    },
    applySnapshot(id) {
      const { snapshots, checkpoints } = store.getState();
      const snapshot = snapshots.list.find((one) => one.id === id);
      if (snapshot === undefined) return;
      edit((now) => ({ ...now, ...fulfilSnapshot(snapshot, checkpoints.open, now.roles) }));
    },
    compareWith: (compared) => setSnapshots({ compared }),
  };
}
