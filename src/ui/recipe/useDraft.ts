import { useState } from 'react';

/**
 * What is being typed into a number box, null when it shows the recipe's `value`; and what to call with the text, and the number that
 * the recipe has after it. A draft is of that number: once the recipe has another (undo, the slider, a preset) it is gone.
 */
export function useDraft(value: number): readonly [draft: string | null, type: (text: string, then: number) => void, leave: () => void] {
  const [draft, setDraft] = useState<{ readonly text: string; readonly of: number } | null>(null);
  const isOld = draft !== null && draft.of !== value;
  if (isOld) setDraft(null);
  return [isOld ? null : (draft?.text ?? null), (text, of) => setDraft({ text, of }), () => setDraft(null)];
}
