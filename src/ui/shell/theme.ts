/** The theme outlives the page. */
import type { StudioStore } from '../../state/store';
import type { Theme } from '../../state/types';

const KEY = 'theme';

/** `system` where nothing is stored, or nothing may be. */
export function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

export function rememberTheme(store: StudioStore): void {
  store.subscribe(({ view }, before) => {
    if (view.theme === before.view.theme) return;
    try {
      localStorage.setItem(KEY, view.theme);
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
    }
  });
}
