import { useState } from 'react';

interface NumberBoxProps {
  readonly name: string;
  /** Id of what describes it. */
  readonly hint?: string;
  readonly step: number;
  readonly value: number;
  readonly accepts: (value: number) => boolean;
  readonly onChange: (value: number) => void;
}

/** A number as typed; what is not yet one that the recipe may have stays in the box. */
export function NumberBox({ name, hint, step, value, accepts, onChange }: NumberBoxProps) {
  /** What is being typed, while it is not what the recipe says. */
  const [draft, setDraft] = useState<string | null>(null);
  const read = (text: string) => (text.trim() === '' ? NaN : Number(text));
  const refused = draft !== null && !(Number.isFinite(read(draft)) && accepts(read(draft)));
  return (
    <input
      type="number"
      className="field number"
      aria-label={name}
      aria-describedby={hint}
      aria-invalid={refused}
      step={step}
      value={draft ?? String(value)}
      onChange={(event) => {
        setDraft(event.target.value);
        const next = read(event.target.value);
        if (Number.isFinite(next) && accepts(next)) onChange(next);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}
