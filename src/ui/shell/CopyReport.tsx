import { useState } from 'react';
import { version } from '../../../package.json';
import { backendReport } from '../messages/backend-report';
import { useStudio } from '../studio';

/** Puts what is known of the backend on the clipboard; where the browser does not let it, shows it to be copied by hand. */
export function CopyReport() {
  const { report, problem } = useStudio((state) => state.backend);
  const [outcome, setOutcome] = useState<'copied' | { readonly text: string } | null>(null);
  const copy = async () => {
    const text = backendReport({ application: `Model Merging Studio ${version}`, browser: navigator.userAgent, report, problem });
    setOutcome((await isCopied(text)) ? 'copied' : { text });
  };
  return (
    <>
      <button type="button" className="button small" onClick={() => void copy()}>
        Copy report
      </button>
      {outcome === 'copied' && <span role="status">Copied.</span>}
      {outcome !== null && outcome !== 'copied' && (
        <textarea className="field" aria-label="Report to copy" readOnly rows={8} value={outcome.text} onFocus={(event) => event.target.select()} />
      )}
    </>
  );
}

async function isCopied(text: string): Promise<boolean> {
  try {
    // Not there on a page that is not secure.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
