/** Snapshots outlive the page. */
import { readSnapshots, writeSnapshots } from '../../state/snapshots';
import type { StudioStore } from '../../state/store';
import type { Snapshot } from '../../state/types';

const KEY = 'snapshots';

/** None where nothing is stored, or nothing may be. */
export function keptSnapshots(): Snapshot[] {
  try {
    return readSnapshots(localStorage.getItem(KEY));
  } catch {
    return [];
  }
}

export function rememberSnapshots(store: StudioStore): void {
  store.subscribe(({ snapshots }, before) => {
    if (snapshots.list === before.snapshots.list) return;
    try {
      localStorage.setItem(KEY, writeSnapshots(snapshots));
    } catch {
      // Storage may be forbidden or full; then they last as long as the page.
    }
  });
}
