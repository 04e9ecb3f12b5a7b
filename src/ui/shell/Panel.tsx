import { useEffect, useRef, type ReactNode } from 'react';
import { useController } from '../studio';

/** A panel over the page. It takes the focus when it opens and gives it back to the button `opener` when it closes. */
export function Panel({ title, opener, children }: { title: string; opener: string; children: ReactNode }) {
  const controller = useController();
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    panel.current?.focus();
    return () => document.getElementById(opener)?.focus();
  }, [opener]);
  return (
    <section className="panel" role="dialog" aria-label={title} ref={panel} tabIndex={-1}>
      <div className="panel-head">
        <h2>{title}</h2>
        <button type="button" className="button quiet icon" aria-label={`Close ${title}`} onClick={() => controller.closePanel()}>
          ✕
        </button>
      </div>
      {children}
    </section>
  );
}
