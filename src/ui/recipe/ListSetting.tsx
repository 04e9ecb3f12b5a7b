import { useId, useState } from 'react';
import type { Setting } from '../../recipe/types';
import { firstValue, parseSetting, settingText } from './setting-text';

interface ListSettingProps<T extends number | boolean> {
  /** Accessible name of the field. */
  readonly name: string;
  readonly kind: T extends number ? 'number' : 'boolean';
  readonly setting: Setting<T>;
  readonly otherwise: T;
  readonly onChange: (setting: Setting<T>) => void;
  /** Called by the button, as opposed to typing. */
  readonly onPress: (setting: Setting<T>) => void;
}

/** A gradient or a filter list as text. What is not yet a setting stays in the field and changes nothing. */
export function ListSetting<T extends number | boolean>({ name, kind, setting, otherwise, onChange, onPress }: ListSettingProps<T>) {
  const [draft, setDraft] = useState<string | null>(null);
  const hint = useId();
  const text = draft ?? settingText(setting);
  const read = (from: string) => parseSetting(from, kind as 'number');
  const problem = draft === null ? null : read(draft).problem;
  return (
    <div className="list-setting">
      <textarea
        className="field"
        aria-label={name}
        aria-invalid={problem !== null}
        aria-describedby={hint}
        spellCheck={false}
        rows={Math.min(8, text.split('\n').length)}
        value={text}
        onChange={(event) => {
          setDraft(event.target.value);
          const { setting: next } = read(event.target.value);
          if (next !== null) onChange(next as Setting<T>);
        }}
        onBlur={() => problem === null && setDraft(null)}
      />
      <div className="row">
        <p className={problem ? 'field-problem' : 'quiet-text'} id={hint}>
          {problem ?? 'A list runs along the layers; of filters the first that matches counts.'}
        </p>
        <button
          type="button"
          className="button small"
          onClick={() => {
            setDraft(null);
            onPress(firstValue(setting, otherwise));
          }}
        >
          Make scalar
        </button>
      </div>
    </div>
  );
}
