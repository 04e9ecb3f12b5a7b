import type { Recipe } from '../../recipe/types';
import { LEAST_SHARD_BYTES } from '../../state/decisions';
import { showName } from '../format';
import { useModels, useNameOf } from '../names';
import { useController, useStudio } from '../studio';
import { useDraft } from './useDraft';

const DTYPES: readonly { readonly value: Recipe['outDtype']; readonly label: string }[] = [
  { value: 'base', label: 'as in the base' },
  { value: 'BF16', label: 'BF16' },
  { value: 'F16', label: 'F16' },
  { value: 'F32', label: 'F32' },
];
const LEAST_SHARD_GB = LEAST_SHARD_BYTES / 1e9;

/** What is written: dtype, shards, and whose tokenizer and config go with the weights. */
export function OutputSettings() {
  const controller = useController();
  const nameOf = useNameOf();
  const models = useModels();
  const base = useStudio((state) => state.decisions.present.recipe.base);
  const outDtype = useStudio((state) => state.decisions.present.recipe.outDtype);
  const tokenizerFrom = useStudio((state) => state.decisions.present.recipe.tokenizerFrom);
  return (
    <fieldset className="model-settings">
      <legend>Output</legend>
      <label className="pair">
        <span>dtype</span>
        <select aria-label="Output dtype" value={outDtype} onChange={(event) => controller.setRecipe({ outDtype: event.target.value as Recipe['outDtype'] }, 'dtype')}>
          {DTYPES.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <ShardSize />
      <label className="pair">
        <span>tokenizer</span>
        <select aria-label="Tokenizer and config from" value={tokenizerFrom ?? ''} onChange={(event) => controller.setRecipe({ tokenizerFrom: event.target.value || null }, 'tokenizer')}>
          <option value="">of the base{base === null ? '' : `, ${showName(nameOf(base), 40)}`}</option>
          {models.map(({ id, name }) => (
            <option key={id} value={id}>
              of {showName(name, 40)}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  );
}

function ShardSize() {
  const controller = useController();
  const shardBytes = useStudio((state) => state.decisions.present.shardBytes);
  const [draft, type, leave] = useDraft(shardBytes);
  const accepts = (text: string) => Number.isFinite(Number(text)) && Number(text) >= LEAST_SHARD_GB;
  return (
    <label className="pair">
      <span>shards up to</span>
      <span className="row">
        <input
          type="number"
          className="field number"
          aria-label="Largest shard in GB"
          min={LEAST_SHARD_GB}
          step={1}
          aria-invalid={draft !== null && !accepts(draft)}
          value={draft ?? String(shardBytes / 1e9)}
          onChange={(event) => {
            const { value } = event.target;
            const next = accepts(value) ? Math.round(Number(value) * 1e9) : shardBytes;
            type(value, next);
            if (next !== shardBytes) controller.setShardBytes(next);
          }}
          onBlur={leave}
        />
        GB
      </span>
    </label>
  );
}
