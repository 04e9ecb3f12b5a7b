import type { TensorRule } from '../../recipe/types';
import { showName } from '../format';
import { useNameOf } from '../names';
import { useController, useStudio } from '../studio';

/** Tensors that are not merged as the rest: kept from the base, or taken whole from one model. */
export function RulesEditor() {
  const controller = useController();
  const nameOf = useNameOf();
  const rules = useStudio((state) => state.decisions.present.recipe.rules);
  const models = useStudio((state) => state.decisions.present.recipe.models);
  const set = (next: readonly TensorRule[], key: string) => controller.setRecipe({ rules: next }, key);
  const replace = (index: number, rule: TensorRule, key: string) => set(rules.map((one, i) => (i === index ? rule : one)), key);

  return (
    <div className="rules">
      {rules.length > 0 && (
        <ol aria-label="Rules for single tensors" role="list">
          {rules.map((rule, i) => (
            <li key={i} className="rule">
              <input
                type="text"
                className="field mono"
                aria-label={`Filter of rule ${i + 1}: part of a tensor name`}
                placeholder="part of a name, * for all"
                value={rule.filter}
                onChange={(event) => replace(i, { ...rule, filter: event.target.value }, `rule filter ${i}`)}
              />
              <select
                aria-label={`What rule ${i + 1} does`}
                value={rule.action === 'take' ? `take ${rule.from ?? ''}` : rule.action}
                onChange={(event) => replace(i, withAction(rule, event.target.value), `rule action ${i}`)}
              >
                <option value="merge">merge</option>
                <option value="keep-base">keep base</option>
                {models.map(({ model }) => (
                  <option key={model} value={`take ${model}`}>
                    take from {showName(nameOf(model), 40)}
                  </option>
                ))}
              </select>
              <button type="button" className="button quiet small icon" aria-label={`Remove rule ${i + 1}`} onClick={() => set(rules.filter((_, at) => at !== i), 'rule removed')}>
                ✕
              </button>
            </li>
          ))}
        </ol>
      )}
      <div className="row">
        <button type="button" className="button small" onClick={() => set([...rules, { filter: 'embed_tokens', action: 'keep-base' }], 'rule added')}>
          Add a rule
        </button>
        <p className="quiet-text">The first that matches counts.</p>
      </div>
    </div>
  );
}

/** `value` is an action, or `take` and the id of a model. */
export function withAction({ filter }: TensorRule, value: string): TensorRule {
  if (value.startsWith('take ')) return { filter, action: 'take', from: value.slice('take '.length) };
  return { filter, action: value === 'keep-base' ? 'keep-base' : 'merge' };
}
