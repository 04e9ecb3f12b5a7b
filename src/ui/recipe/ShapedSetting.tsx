import { useState } from 'react';
import { asRules, FILTERS, pointsOf, withNewRule } from '../../recipe/curves';
import { constantValue, isFilterList } from '../../recipe/settings';
import type { FilterRule, Setting } from '../../recipe/types';
import { factsOf } from '../../state/selectors';
import { useController, useStudio } from '../studio';
import { CurveEditor } from './CurveEditor';
import { ListSetting } from './ListSetting';
import { NumberBox } from './NumberBox';
import { firstValue } from './setting-text';

interface ShapedSettingProps {
  readonly name: string;
  readonly setting: Exclude<Setting<number>, number>;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Where no rule matches, and where a list is made scalar without a value. */
  readonly otherwise: number;
  readonly accepts: (value: number) => boolean;
  readonly onChange: (setting: Setting<number>) => void;
  /** Called by a button, as opposed to dragging and typing: a step of undo of its own. */
  readonly onPress: (setting: Setting<number>) => void;
}

/** A parameter that differs between tensors: a curve over the layers, a list of kinds of tensors, or either as text. */
export function ShapedSetting(props: ShapedSettingProps) {
  const { name, setting, min, max, step, otherwise, accepts, onChange, onPress } = props;
  const controller = useController();
  const [asText, setAsText] = useState(false);
  const base = useStudio((state) => state.checkpoints.open.find(({ id }) => id === state.decisions.present.recipe.base));
  const layers = base === undefined ? 0 : factsOf(base).layers;
  const filtered = isFilterList(setting);
  const curve = { min, max, step, layers, accepts, onSettle: () => controller.settle() };
  const first = firstValue(setting, otherwise);
  return (
    <div className="shaped">
      <div className="row" role="group" aria-label={`${name}: how it differs`}>
        <button type="button" className="button small" aria-pressed={!asText && !filtered} onClick={() => (setAsText(false), filtered && onPress(pointsOf(first)))}>
          Along layers
        </button>
        <button type="button" className="button small" aria-pressed={!asText && filtered} onClick={() => (setAsText(false), !filtered && onPress(withNewRule(asRules((constantValue<number>(setting)) ?? setting, otherwise))))}>
          By module
        </button>
        <button type="button" className="button small" aria-pressed={asText} onClick={() => setAsText(true)}>
          Text
        </button>
        <button type="button" className="button quiet small" aria-label={`${name}: one value for all`} onClick={() => onPress(first)}>
          One value
        </button>
      </div>
      {asText ? (
        <ListSetting name={name} kind="number" setting={setting} otherwise={otherwise} onChange={onChange} onPress={onPress} />
      ) : filtered ? (
        <Rules name={name} rules={asRules(setting, otherwise)} curve={curve} onChange={onChange} onPress={onPress} />
      ) : (
        <CurveEditor name={name} points={setting} {...curve} onChange={onChange} />
      )}
    </div>
  );
}

interface RulesProps extends Pick<ShapedSettingProps, 'name' | 'onChange' | 'onPress'> {
  readonly rules: readonly FilterRule<number>[];
  readonly curve: Pick<ShapedSettingProps, 'min' | 'max' | 'step' | 'accepts'> & { readonly layers: number; readonly onSettle: () => void };
}
function Rules({ name, rules, curve, onChange, onPress }: RulesProps) {
  const replace = (at: number, rule: FilterRule<number>) => rules.map((one, i) => (i === at ? rule : one));
  const last = rules.length - 1;
  return (
    <>
      <ol className="kinds" role="list" aria-label={`${name} by kind of tensor`}>
        {rules.map((rule, i) => {
          const kind = FILTERS.find(({ filter }) => filter === rule.filter);
          const called = `${name}, ${i === last ? 'all others' : (kind?.label ?? rule.filter ?? 'all')}`;
          return (
            <li key={i}>
              {i === last ? (
                <span>all others</span>
              ) : (
                <select aria-label={`${name}, kind ${i + 1}`} value={rule.filter ?? '*'} onChange={(event) => onPress(replace(i, { ...rule, filter: event.target.value }))}>
                  {kind === undefined && <option value={rule.filter ?? '*'}>{rule.filter ?? '*'}</option>}
                  {FILTERS.map(({ label, filter }) => (
                    <option key={filter} value={filter}>
                      {label}
                    </option>
                  ))}
                </select>
              )}
              {typeof rule.value === 'number' && <NumberBox name={called} step={curve.step} value={rule.value} accepts={curve.accepts} onChange={(value) => onChange(replace(i, { ...rule, value }))} />}
              <button
                type="button"
                className="button quiet small icon"
                aria-label={`${called}: ${typeof rule.value === 'number' ? 'along the layers' : 'one value'}`}
                title={typeof rule.value === 'number' ? 'Along the layers' : 'One value'}
                onClick={() => onPress(replace(i, { ...rule, value: typeof rule.value === 'number' ? pointsOf(rule.value) : rule.value[0]! }))}
              >
                ≋
              </button>
              {i < last && (
                <button type="button" className="button quiet small icon" aria-label={`Remove ${called}`} onClick={() => onPress(rules.filter((_, at) => at !== i))}>
                  ✕
                </button>
              )}
              {typeof rule.value !== 'number' && <CurveEditor name={called} points={rule.value} {...curve} onChange={(value) => onChange(replace(i, { ...rule, value }))} />}
            </li>
          );
        })}
      </ol>
      <div className="row">
        <button type="button" className="button small" onClick={() => onPress(withNewRule(rules))}>
          Add a kind
        </button>
        <p className="quiet-text">The first that matches counts.</p>
      </div>
    </>
  );
}
