/** Keeps recipe and view in the fragment of the address, and reads them back from a link. */
import type { Controller } from '../../state/controller';
import type { StudioStore } from '../../state/store';

/** Browsers refuse more than some 200 changes of the address in half a minute. */
const REST_MS = 400;

export function rememberAddress(store: StudioStore, controller: Controller): void {
  controller.readAddress(location.hash);
  window.addEventListener('hashchange', () => controller.readAddress(location.hash));
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.subscribe((now, before) => {
    if (now.decisions.present === before.decisions.present && now.view.chart === before.view.chart && now.series === before.series && now.wanted === before.wanted) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const fragment = controller.address();
      // `replaceState` does not fire hashchange, so what was written is not read again.
      history.replaceState(null, '', fragment === '' ? location.pathname + location.search : `#${fragment}`);
    }, REST_MS);
  });
}
