import { useState } from 'react';
import { formatBytes } from '../format';
import { useController, useStudio } from '../studio';

/** With less, reads are too small for any disk; more, no tab gets. */
const LEAST_GB = 0.3;
const MOST_GB = 16;
const OF_GB = 1e9;

/** How much a merge may hold: as the machine suggests, or as typed. Sent when the field is left: each change starts the backend anew. */
export function MemoryChoice({ disabled }: { readonly disabled: boolean }) {
  const controller = useController();
  const { chosen, automatic } = useStudio((state) => state.backend.memory);
  const [draft, setDraft] = useState<string | null>(null);
  const accepts = (text: string) => text === '' || (Number(text) >= LEAST_GB && Number(text) <= MOST_GB);
  const send = () => {
    if (draft !== null && accepts(draft)) void controller.setMemory(draft === '' ? null : Math.round(Number(draft) * OF_GB));
    setDraft(null);
  };
  return (
    <div>
      <label className="pair">
        <span>Memory</span>
        <span className="row">
          <input
            type="number"
            className="field number"
            aria-label="Memory of a merge in GB, empty for automatic"
            min={LEAST_GB}
            max={MOST_GB}
            step={0.1}
            placeholder="auto"
            disabled={disabled}
            aria-invalid={draft !== null && !accepts(draft)}
            value={draft ?? (chosen === null ? '' : String(chosen / OF_GB))}
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={(event) => event.key === 'Enter' && send()}
            onBlur={send}
          />
          GB
        </span>
      </label>
      <p className="quiet-text">
        {chosen === null ? `Automatic${automatic === null ? '' : `: at most ${formatBytes(automatic)}`}. ` : ''}More reads larger pieces; a tensor that needs more than this takes what it needs. The plan says what a merge
        will hold.
      </p>
    </div>
  );
}
