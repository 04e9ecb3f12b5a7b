/** How much a merge may hold outlives the page. */
import type { StudioStore } from '../../state/store';

const KEY = 'memory';

/** Null where nothing is stored, or nothing that is a number of bytes. */
export function keptMemory(): number | null {
  try {
    const bytes = Number(localStorage.getItem(KEY));
    return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
  } catch {
    return null;
  }
}

export function rememberMemory(store: StudioStore): void {
  store.subscribe(({ backend: { memory } }, before) => {
    if (memory.chosen === before.backend.memory.chosen) return;
    try {
      if (memory.chosen === null) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, String(memory.chosen));
    } catch {
      // Storage may be forbidden or full; then it lasts as long as the page.
    }
  });
}
