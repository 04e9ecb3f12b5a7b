import type { ReactNode } from 'react';

/**
 * The part of a region that scrolls. While a merge runs its controls are disabled, so that it takes the focus itself: else
 * the keyboard could not scroll it.
 */
export function ScrollBody({ label, busy, children }: { label: string; busy: boolean; children: ReactNode }) {
  return (
    <div className="region-body" role="group" aria-label={label} tabIndex={busy ? 0 : undefined}>
      {children}
    </div>
  );
}
