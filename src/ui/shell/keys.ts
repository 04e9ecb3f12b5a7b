/** The keys of the page, and what each does. */
import type { Controller } from '../../state/controller';
import { CHART_TABS } from '../charts/tab-names';

export const KEYS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['?'], does: 'Show or hide these keys' },
  { keys: ['Esc'], does: 'Close the open panel' },
  { keys: ['Ctrl', 'Z'], does: 'Undo the last change of roles, recipe or fixes' },
  { keys: ['Ctrl', 'Shift', 'Z'], does: 'Redo it' },
  { keys: CHART_TABS.map((_, i) => String(i + 1)), does: `Charts: ${CHART_TABS.map(({ label }) => label.toLowerCase()).join(', ')}` },
  { keys: ['←', '→'], does: 'Move a slider one step; between tabs and bars in the charts' },
  { keys: ['↑', '↓', '←', '→'], does: 'Move the point on the surface; with Shift in large steps' },
  { keys: ['Page Up', 'Page Down'], does: 'Move a slider in large steps' },
];

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  /** Whether the focus is in a field that takes characters. */
  readonly inField: boolean;
  /** Whether that field has an undo of its own that is of use. A number box has none: what it holds is the recipe's. */
  readonly ownUndo: boolean;
}

/** Does what the key stands for. True when it did, so that the browser does nothing else. */
export function pressKey(press: KeyPress, controller: Controller): boolean {
  const { key, ctrlKey, metaKey, altKey, shiftKey, inField, ownUndo } = press;
  if (key === 'Escape') {
    controller.closePanel();
    return false;
  }
  if (altKey) return false;
  if (ctrlKey || metaKey) {
    if (ownUndo) return false;
    if (key.toLowerCase() === 'z') {
      if (shiftKey) controller.redo();
      else controller.undo();
      return true;
    }
    if (key === 'y') {
      controller.redo();
      return true;
    }
    return false;
  }
  if (inField) return false;
  if (key === '?') {
    controller.togglePanel('help');
    return true;
  }
  const tab = /^[1-9]$/.test(key) ? CHART_TABS[Number(key) - 1] : undefined;
  if (tab === undefined) return false;
  controller.setChart({ tab: tab.tab });
  return true;
}
