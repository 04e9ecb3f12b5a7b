import { useDraft } from './useDraft';

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
  const [draft, type, leave] = useDraft(value);
  const read = (text: string) => (text.trim() === '' ? NaN : Number(text));
  const isTaken = (number: number) => Number.isFinite(number) && accepts(number);
  return (
    <input
      type="number"
      className="field number"
      aria-label={name}
      aria-describedby={hint}
      aria-invalid={draft !== null && !isTaken(read(draft))}
      step={step}
      value={draft ?? String(value)}
      onChange={(event) => {
        const next = read(event.target.value);
        type(event.target.value, isTaken(next) ? next : value);
        if (isTaken(next) && next !== value) onChange(next);
      }}
      onBlur={leave}
    />
  );
}
