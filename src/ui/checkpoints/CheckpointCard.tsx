import { useMemo } from 'react';
import { formatCount, formatPercent } from '../../analysis/format';
import type { Checkpoint } from '../../checkpoint/types';
import { factsOf } from '../../state/selectors';
import { isBusy, ROLES, type Role } from '../../state/types';
import { formatBytes, formatParameters, showName } from '../format';
import { useModels, useNameOf } from '../names';
import { useController, useStudio } from '../studio';
import { BaseWarning } from './BaseWarning';
import { OriginPanel } from './OriginPanel';
import { useAncestry } from './useAncestry';

const ROLE_LABELS: Readonly<Record<Role, string>> = { base: 'Base', sft: 'SFT', ct: 'CT', other: 'Another model', none: 'Not merged' };

export function CheckpointCard({ checkpoint }: { checkpoint: Checkpoint }) {
  const controller = useController();
  const { id, name, shards, parameters, bytes, tensors, adapter } = checkpoint;
  const role = useStudio((state) => state.decisions.present.roles[id] ?? 'none');
  const busy = useStudio((state) => isBusy(state.job));
  const colour = useModels().find((model) => model.id === id)?.colour;
  const { dtypes, layers, vocabulary } = useMemo(() => factsOf(checkpoint), [checkpoint]);
  const ancestry = useAncestry();
  const change = ancestry.change.find(({ model }) => model === id)?.ratio;
  const nameOf = useNameOf();
  const cosines = ancestry.cosines.flatMap(({ models: [one, other], cosine }) => (one === id ? [{ other, cosine }] : other === id ? [{ other: one, cosine }] : []));
  const shown = showName(name, 60);
  const where = showName(shards[0]?.file.path ?? name);
  return (
    <article className="card" aria-label={shown} data-role={role}>
      <header>
        <span className="swatch" style={{ background: colour ?? (role === 'base' ? 'var(--ink-2)' : 'transparent'), border: role === 'none' ? '1px solid var(--edge)' : undefined }} aria-hidden="true" />
        <h3 title={where}>{shown}</h3>
        <select aria-label={`Role of ${shown}`} value={role} disabled={busy} onChange={(event) => controller.setRole(id, event.target.value as Role)}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {ROLE_LABELS[one]}
            </option>
          ))}
        </select>
        <button type="button" className="button quiet small icon" aria-label={`Remove ${shown}`} disabled={busy} onClick={() => void controller.close(id)}>
          ✕
        </button>
      </header>
      <dl>
        <Fact term="Parameters" value={formatParameters(parameters)} title={`${formatCount(parameters)} in ${formatCount(tensors.length)} tensors`} />
        {adapter && (
          <Fact term="Adapter" value={`LoRA, r ${adapter.rank}, α ${adapter.alpha}`} title={`Merged as what it makes of the base.${adapter.baseModel === null ? '' : ` Trained on ${showName(adapter.baseModel, 120)}.`}`} />
        )}
        <Fact term="Dtype" value={dtypes.join(', ') || '–'} />
        <Fact term="Size" value={formatBytes(bytes)} title={`${formatCount(bytes)} bytes`} />
        <Fact term="Layers" value={layers === 0 ? '–' : String(layers)} />
        <Fact term="Vocabulary" value={vocabulary === null ? '–' : formatCount(vocabulary)} />
        <Fact term="Shards" value={String(shards.length)} />
        {change !== undefined && <Fact term="Change" value={formatPercent(change)} title={`|τ| / |θ|: how far this model is from the base, over a sample of the layers`} />}
        {cosines.map(({ other, cosine }) => (
          <Fact key={other} term={`cos ${showName(nameOf(other), 12)}`} value={cosine.toFixed(2).replace('-', '−')} title={`Cosine of τ with that of ${showName(nameOf(other))}, over a sample of the layers: near 0 where they change other things, near 1 where they change the same`} />
        ))}
      </dl>
      <OriginPanel checkpoint={checkpoint} />
      {role === 'base' && <BaseWarning checkpoint={checkpoint} ancestry={ancestry} />}
    </article>
  );
}

function Fact({ term, value, title }: { term: string; value: string; title?: string }) {
  return (
    <div title={title}>
      <dt>{term}</dt>
      <dd>{value}</dd>
    </div>
  );
}
