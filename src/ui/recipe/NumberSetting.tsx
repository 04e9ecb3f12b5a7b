import { useId, useState, type ReactNode } from 'react';
import type { Setting } from '../../recipe/types';
import { useController } from '../studio';
import { NumberBox } from './NumberBox';
import { ShapedSetting } from './ShapedSetting';

export interface NumberSettingProps {
  /** As shown: the symbol of the paper. */
  readonly symbol: ReactNode;
  /** Accessible name, of the slider and of its number box: `Density of sft (k_sft)`. */
  readonly name: string;
  readonly about: string;
  readonly setting: Setting<number>;
  /** Of the slider; the box takes any number that the recipe allows, and the slider stretches to it. */
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly reset: number;
  /** Refuses what has no meaning, so that a half-typed number never becomes the recipe. */
  readonly accepts: (value: number) => boolean;
  readonly onChange: (setting: Setting<number>) => void;
}

/** A parameter: slider, number box, reset and one line that says what it does. A gradient shows as a curve, a filter list as rows. */
export function NumberSetting(props: NumberSettingProps) {
  const { symbol, name, about, setting, min, max, step, reset, accepts, onChange } = props;
  const controller = useController();
  const hint = useId();
  const isScalar = typeof setting === 'number';
  /** Of the slider while it is dragged: did its ends follow the value, it would run away under the pointer. */
  const [held, hold] = useState<{ readonly min: number; readonly max: number } | null>(null);
  const range = held ?? (isScalar ? { min: Math.min(min, setting), max: Math.max(max, setting) } : { min, max });
  const letGo = () => {
    hold(null);
    controller.settle();
  };
  /** A press of a button is a step of undo of its own, whatever was typed or dragged just before. */
  const press = (next: Setting<number>) => {
    controller.settle();
    onChange(next);
    controller.settle();
  };
  return (
    <div className="setting" role="group" aria-label={name} onBlur={() => controller.settle()}>
      <div className="setting-head">
        <span className="symbol" aria-hidden="true">
          {symbol}
        </span>
        <span className="about" id={hint} title={about}>
          {about}
        </span>
        {isScalar && (
          <button type="button" className="button quiet small icon" aria-label={`${name}: per layer or filter`} title="Per layer or filter" onClick={() => press([setting, setting])}>
            ≋
          </button>
        )}
        <button type="button" className="button quiet small icon" aria-label={`Reset ${name} to ${reset}`} title={`Reset to ${reset}`} disabled={setting === reset} onClick={() => press(reset)}>
          ↺
        </button>
      </div>
      {isScalar ? (
        <div className="setting-value">
          <input
            type="range"
            aria-label={name}
            aria-describedby={hint}
            min={range.min}
            max={range.max}
            step={step}
            value={setting}
            onChange={(event) => onChange(Number(event.target.value))}
            onPointerDown={() => hold(range)}
            onPointerUp={letGo}
            onPointerCancel={letGo}
          />
          <NumberBox {...{ name, hint, step, value: setting, accepts, onChange }} />
        </div>
      ) : (
        <ShapedSetting {...{ name, setting, min, max, step, accepts, onChange }} otherwise={reset} onPress={press} />
      )}
    </div>
  );
}
