/** How far the open checkpoints are apart: asked for whenever one comes or goes, so that a wrong base is noticed. */
import type { Kin } from '../merge/kinship';
import type { WorkerPort } from './ports';
import type { StudioStore } from './store';

/** Returns what to call after checkpoints came or went. */
export function createKinship(store: StudioStore, worker: WorkerPort): () => void {
  let latest = 0;
  return () => {
    const asked = ++latest;
    const answer = (kin: readonly Kin[]) => {
      if (asked === latest) store.setState({ kin });
    };
    if (store.getState().checkpoints.open.length < 2) return answer([]);
    // A file that cannot be read is told of where its figures are missed; without distances there is only one warning less.
    worker.request('kinship', {}).then(
      ({ kin }) => answer(kin),
      () => answer([]),
    );
  };
}
