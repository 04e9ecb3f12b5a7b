import { useMemo } from 'react';
import { formatCounts, formatPercent } from '../../../analysis/format';
import { kneeOf, shareForAll, sharesUpTo, slackAt, slopes, sumSlackCurves, type SlackCurve } from '../../../analysis/slack-curve';
import { share } from '../../../analysis/share';
import type { Table, TableCell } from '../../../analysis/table';
import { within } from '../../../analysis/parts';
import { placeOf } from '../../../checkpoint/places';
import { traitsOf, trimsAndElects } from '../../../recipe/methods';
import { scopeOf } from '../../../recipe/resolve';
import { PAPER_SLACK } from '../../../recipe/presets';
import { constantValue } from '../../../recipe/settings';
import { isBusy } from '../../../state/types';
import { useController, useStudio } from '../../studio';
import { ErrorNotice } from '../../Notice';
import { ChartFigure } from '../ChartFigure';
import { COMPARED_COLOUR, useCompared, useComparedView } from '../compared';
import { EXACTNESS_LABEL, placeLabel } from '../labels';
import { cellOf } from '../selection';
import type { TabProps } from '../types';
import { useView } from '../useView';
import { SlackChart, type SlackBeside } from './SlackChart';

/** What each further percent of reserved values costs the other models, with the current s, the paper's and the knee. */
export function SlackTab({ data, view, onView }: TabProps) {
  const controller = useController();
  const slack = useStudio((state) => state.decisions.present.recipe.slack);
  const method = useStudio((state) => state.decisions.present.recipe.method);
  const busy = useStudio((state) => isBusy(state.job));
  const { preferred, names, models, breakdown } = data;
  const most = useMemo(() => {
    const losses = breakdown.cells.flatMap(({ parts }) => parts).map(({ figures, elements }) => {
      const weight = figures.numel > 0 ? elements / figures.numel : 1;
      return { kept: (figures.kept[preferred] ?? 0) * weight, discarded: (figures.discarded[preferred] ?? 0) * weight };
    });
    return shareForAll(losses, slack.of);
  }, [breakdown, preferred, slack.of]);
  const isPooled = useStudio((state) => scopeOf(state.decisions.present.recipe).slack === 'model');
  const sweeps = trimsAndElects(method);
  const question = sweeps && models[preferred] ? { slack: { prefer: preferred, of: slack.of, shares: sharesUpTo(most, [PAPER_SLACK]) } } : null;
  const { answer, loading, problem } = useView('slackCurve', question);
  const cell = cellOf(view, breakdown);
  const scope = { layer: cell?.layer ?? view.layer, module: cell?.module ?? view.module };
  const curve = useMemo(() => {
    if (answer === null) return null;
    const parts = within(answer.reply.tensors, placeOf, scope);
    return parts.length === 0 ? null : sumSlackCurves(parts, answer.question.slack.shares);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a scope is its two parts
  }, [answer, scope.layer, scope.module]);

  const compared = useCompared(models);
  const other = useComparedView('slackCurve');
  const beside = useMemo((): SlackBeside | null => {
    // Giving another model back is another question.
    if (compared === null || !other?.reply || compared.models[preferred] !== compared.preferred || other.question.slack.of !== slack.of) return null;
    const parts = within(other.reply.tensors, placeOf, scope);
    if (parts.length === 0) return null;
    return { name: compared.name, curve: sumSlackCurves(parts, other.question.slack.shares), s: compared.slack.of === slack.of ? compared.slack.s : null };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a scope is its two parts
  }, [compared, other, preferred, slack.of, scope.layer, scope.module]);

  if (question === null) {
    return (
      <div className="charts-state">
        <p>{traitsOf(method).elects ? 'The slack gives back what TIES trims and elects; of other methods it is not defined.' : 'This method elects no sign: nothing is discarded, so there is nothing to give back.'}</p>
        <button type="button" className="button" disabled={busy} onClick={() => controller.setMethod('ties_sv')}>
          Use TIES-SV
        </button>
      </div>
    );
  }
  const name = names[preferred]!;
  const others = models.length === 2 ? names[1 - preferred]! : 'the others';
  const s = constantValue(slack.s);
  const where = scope.layer === null && scope.module === null ? 'whole model' : scope.module === null ? `layer ${scope.layer}` : placeLabel({ layer: scope.layer, module: scope.module });
  const title = `What giving ${name} back costs ${others}`;
  return (
    <ChartFigure
      title={title}
      summary={`${title}, ${where}: ${curve === null ? 'not there yet' : describe(curve, typeof s === 'number' ? s : null)}${beside ? `; ${beside.name}: ${describe(beside.curve, beside.s, 'no one s in use')}` : ''}`}
      fileName="slack-cost"
      headings={1}
      table={() => tableOf(curve, name, others, beside)}
      legend={[
        { label: `cost so far, share of the magnitude of ${others}`, mark: 'bar', colour: costColour(data) },
        ...(beside ? [{ label: `${beside.name}: cost so far${beside.s === null ? '' : ` and its s ${formatPercent(beside.s)}`}`, mark: 'dashed', colour: COMPARED_COLOUR } as const] : []),
        { label: 'cost of the next percent', mark: 'dashed', colour: 'var(--ink-2)' },
        { label: 'current s', mark: 'bar', colour: 'var(--accent)' },
      ]}
      controls={
        <>
          <span className="charts-control">{where}</span>
          {(view.layer !== null || view.module !== null || view.tensor !== null) && (
            <button type="button" className="button small" onClick={() => onView({ layer: null, module: null, tensor: null })}>
              Whole model
            </button>
          )}
          {method === 'ties' && (
            <button type="button" className="button small" disabled={busy} onClick={() => controller.setMethod('ties_sv')}>
              Use TIES-SV
            </button>
          )}
        </>
      }
      note={
        <>
          {method === 'ties' && 'TIES gives nothing back; this is what a slack would do. '}
          Knee: where reserved positions run furthest ahead of their cost, both from 0 to all of them (Kneedle). Drag, or use the arrow keys, to set s.
          {isPooled && ' Ranked in each tensor for itself; the recipe ranks over the whole model, which costs no more and often less.'}
          {other?.problem && ' The compared snapshot could not be worked out.'}
          {compared?.electing && compared.models[preferred] !== compared.preferred && ` ${compared.name} gives another model back, so its curve is not shown.`}
          {curve !== null && curve.exactness !== 'exact' && ` Curve: ${curve.exactness === 'partial' ? 'partly an estimate' : 'estimate'} from the sample.`}
        </>
      }
    >
      {problem && answer === null ? (
        <ErrorNotice error={problem} grave="warn" />
      ) : curve === null ? (
        <p className="charts-state charts-quiet" role="status">
          {loading ? 'The curve is on its way.' : 'No tensor here has a curve.'}
        </p>
      ) : curve.discarded === 0 ? (
        <p className="charts-state charts-quiet">{name} loses nothing here, so there is nothing to give back.</p>
      ) : (
        <SlackChart
          curve={curve}
          beside={beside}
          s={typeof s === 'number' ? s : null}
          colour={costColour(data)}
          names={{ preferred: name, others }}
          of={slack.of}
          active={method === 'ties_sv'}
          disabled={busy}
          onSlack={(next) => controller.setRecipe({ slack: { ...slack, s: next } }, 'slack')}
          onSettle={() => controller.settle()}
        />
      )}
    </ChartFigure>
  );
}

function costColour({ models, preferred }: TabProps['data']): string {
  return models.length === 2 ? models[1 - preferred]!.colour : 'var(--ink)';
}

function describe(curve: SlackCurve, s: number | null, without = 's differs between tensors'): string {
  const knee = kneeOf(curve);
  const at = (value: number) => {
    const { reserved, cost } = slackAt(curve, value);
    return `${formatPercent(value)} gives back ${formatPercent(share(reserved, curve.discarded).value)} of what is discarded (${formatCounts(share(reserved, curve.discarded))}) for ${formatPercent(share(cost, curve.magnitude).value)} of the magnitude`;
  };
  return [
    ...(s === null ? [without] : [`s ${at(s)}`]),
    ...(knee === null ? ['no knee'] : [`knee ${at(curve.shares[knee]!)}`]),
    ...(curve.exactness === 'exact' ? [] : [EXACTNESS_LABEL[curve.exactness]]),
  ].join('; ');
}

function tableOf(curve: SlackCurve | null, name: string, others: string, beside: SlackBeside | null): Table {
  const steps = curve === null ? [] : slopes(curve);
  return {
    columns: [
      { label: 's', kind: 'text' },
      { label: `reserved / kept ${name}`, kind: 'share' },
      { label: `reserved / discarded ${name}`, kind: 'share' },
      { label: `cost / magnitude of ${others}`, kind: 'number' },
      { label: 'cost, sum of |w tau|', kind: 'number' },
      { label: 'cost of the next percent, %', kind: 'number' },
      ...(beside ? [{ label: `${beside.name}: cost / magnitude`, kind: 'number' as const }] : []),
    ],
    rows: (curve?.shares ?? []).map((s, i): TableCell[] => [
      { kind: 'text', text: String(s) },
      { kind: 'share', share: { ...share(curve!.reserved[i]!, curve!.kept), interval: null } },
      { kind: 'share', share: { ...share(curve!.reserved[i]!, curve!.discarded), interval: null } },
      { kind: 'number', value: curve!.magnitude === 0 ? 0 : curve!.cost[i]! / curve!.magnitude },
      { kind: 'number', value: curve!.cost[i]! },
      { kind: 'number', value: steps.find(({ from }) => from === s)?.slope ?? 0 },
      ...(beside ? [{ kind: 'number' as const, value: share(slackAt(beside.curve, s).cost, beside.curve.magnitude).value ?? 0 }] : []),
    ]),
  };
}
