import { useMemo, useState } from 'react';
import { effectOver, type Effect } from '../../../analysis/effect';
import { formatMagnitude, formatPercent } from '../../../analysis/format';
import { byLayer } from '../../../analysis/parts';
import type { Table, TableCell } from '../../../analysis/table';
import { placeOf } from '../../../checkpoint/places';
import { useController } from '../../studio';
import { ErrorNotice } from '../../Notice';
import { ChartFigure } from '../ChartFigure';
import { COMPARED_COLOUR, useCompared, useComparedView } from '../compared';
import { EXACTNESS_LABEL, groupLabel } from '../labels';
import type { LegendItem } from '../Legend';
import { pixelOf, linearAxis, type Axis, type Tick } from '../plot/axes';
import { MARGINS, PlotPanel, type Box, type PlotLine } from '../plot/PlotPanel';
import { PlotTip } from '../plot/PlotTip';
import { PointPicker } from '../plot/PointPicker';
import { CLEARED, groupOf } from '../selection';
import type { ChartData, TabProps } from '../types';
import { useSize } from '../useSize';
import { useView } from '../useView';

interface LayerEffect {
  readonly key: string;
  readonly layer: number | null;
  readonly short: string;
  readonly long: string;
  readonly effect: Effect;
}
/** The compared snapshot's effect, by the keys of the layers. */
interface Beside {
  readonly label: string;
  readonly layers: ReadonlyMap<string, Effect>;
  readonly whole: Effect;
}

/** How far the merge moves each layer, and along which task vector: where lambda shows. */
export function EffectTab({ data, view, onView }: TabProps) {
  const { answer, loading, problem } = useView('effect', NOTHING);
  const models = data.models.length;
  const tensors = answer?.reply.tensors;
  const fits = tensors?.every(({ view: { tau2 } }) => tau2.length === models) ?? false;
  const layers = useMemo((): LayerEffect[] => {
    if (!tensors || !fits) return [];
    return byLayer(tensors, placeOf).map(({ key, layer, parts }) => {
      const { short, long } = groupLabel({ key, layer });
      return { key, layer, short, long, effect: effectOver(parts, models) };
    });
  }, [tensors, fits, models]);
  const whole = useMemo(() => (tensors && fits ? effectOver(tensors, models) : null), [tensors, fits, models]);
  const beside = useBeside(data);
  const failed = useComparedView('effect')?.problem != null;
  const title = 'How far and which way the merge moves each layer';
  return (
    <ChartFigure
      title={title}
      summary={`${title}, whole model: ${whole === null ? 'not there yet' : words(whole, data, besideOf(beside, null))}`}
      fileName="effect-per-layer"
      headings={1}
      table={() => tableOf(layers, whole, data, beside)}
      legend={legendOf(data, beside)}
      note={whole !== null && <span>Whole model: {words(whole, data, besideOf(beside, null))}. Lengths and angles of whole task vectors; lambda and slack included.{data.reference !== 'base' && ` This method merges whole values and needs no base: differences are from ${data.reference}, its first model.`}{failed && ' The compared snapshot could not be worked out.'}</span>}
    >
      {problem && layers.length === 0 ? (
        <ErrorNotice error={problem} grave="warn" />
      ) : layers.length === 0 ? (
        <p className="charts-state charts-quiet" role="status">
          {loading ? 'Lengths and angles are on their way.' : 'No tensor is merged.'}
        </p>
      ) : (
        <EffectChart layers={layers} data={data} beside={beside} title={title} selected={groupOf(view, data.breakdown)} stale={loading} onPick={(group) => onView(group === null ? CLEARED : { ...CLEARED, layer: group })} />
      )}
    </ChartFigure>
  );
}
const NOTHING = {};

/** Null while nothing is compared, or the snapshot's effect is not there. */
function useBeside({ models }: ChartData): Beside | null {
  const compared = useCompared(models);
  const tensors = useComparedView('effect')?.reply?.tensors;
  return useMemo(() => {
    if (compared === null || !tensors || tensors.length === 0) return null;
    const own = compared.densities.length;
    return {
      label: `${compared.name}: |λ τ merged| / |θ ${compared.reference}|`,
      layers: new Map(byLayer(tensors, placeOf).map(({ key, parts }) => [key, effectOver(parts, own)])),
      whole: effectOver(tensors, own),
    };
  }, [compared, tensors]);
}

interface BesideChange {
  readonly label: string;
  readonly change: number | null;
}
/** Of one layer, or of the whole model (null). */
function besideOf(beside: Beside | null, key: string | null): BesideChange | null {
  const effect = key === null ? beside?.whole : beside?.layers.get(key);
  return beside && effect ? { label: beside.label, change: effect.change } : null;
}

interface EffectChartProps {
  readonly layers: readonly LayerEffect[];
  readonly data: ChartData;
  readonly beside: Beside | null;
  readonly title: string;
  readonly selected: string | null;
  readonly stale: boolean;
  readonly onPick: (layer: number | null) => void;
}
function EffectChart({ layers, data, beside, title, selected, stale, onPick }: EffectChartProps) {
  const controller = useController();
  const { ref, width, height } = useSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<number | null>(null);
  const apart = new Set(layers.flatMap(({ layer }, i) => (layer === null ? [i] : [])));
  const inner = height - MARGINS.top - MARGINS.bottom - GAP;
  const panel = (y: number, of: number): Box => ({ x: MARGINS.left, y, width: width - MARGINS.left - MARGINS.bare, height: of });
  const upper = panel(MARGINS.top, inner * 0.56);
  const lower = panel(MARGINS.top + inner * 0.56 + GAP, inner * 0.44);
  const every = [1, 2, 5, 10, 20].find((step) => (upper.width / layers.length) * step >= 22) ?? 50;
  const x: Axis = {
    min: -0.5,
    max: layers.length - 0.5,
    log: false,
    title: 'layer',
    ticks: layers.flatMap(({ layer, short }, i): Tick[] =>
      layer === null ? [{ at: i, label: short, end: i === 0 ? 'first' : 'last' }] : layer % every === 0 ? [{ at: i, label: short }] : [],
    ),
  };
  const line = (look: Omit<PlotLine, 'points' | 'apart'>, of: (effect: Effect, key: string) => number | null): PlotLine => ({
    ...look,
    apart,
    points: layers.flatMap(({ effect, key }, i) => {
      const y = of(effect, key);
      return y === null ? [] : [{ x: i, y, exactness: effect.exactness }];
    }),
  });
  const percent = (value: number | null) => (value === null ? null : value * 100);
  const lengths = [
    ...data.models.map(({ colour }, m) => line({ key: `tau ${m}`, colour, dash: '5 4', width: 1.5, mark: 'square' }, (effect) => percent(effect.tau[m] ?? null))),
    ...(beside ? [line({ key: 'compared', colour: COMPARED_COLOUR, dash: '4 3', width: 2, mark: 'square' }, (_, key) => percent(besideOf(beside, key)?.change ?? null))] : []),
    line({ key: 'change', colour: 'var(--accent)', width: 2.5, mark: 'circle' }, (effect) => percent(effect.change)),
  ];
  const angles = data.models.map(({ colour }, m) => line({ key: `cos ${m}`, colour, mark: 'circle' }, (effect) => effect.cosine[m] ?? null));
  const lowest = Math.min(0, ...angles.flatMap(({ points }) => points.map(({ y }) => y)));
  const atX = pixelOf(x, upper.x, upper.x + upper.width);
  const shown = pointed === null ? undefined : layers[pointed];
  return (
    <div className="charts-fill" ref={ref} data-stale={stale}>
      {width > 0 && height > 0 && (
        <>
          <svg width={width} height={height} aria-hidden="true">
            <PlotPanel box={upper} x={x} left={linearAxis(0, top(lengths), `% of |θ ${data.reference}|`, String)} lines={lengths} labelled={false} />
            <PlotPanel box={lower} x={x} left={cosineAxis(lowest)} lines={angles} />
          </svg>
          <PointPicker
            label={title}
            plot={{ ...upper, height: lower.y + lower.height - upper.y }}
            selected={selected}
            points={layers.map(({ key, long, effect }, i) => ({ key, at: atX(i), name: `${long}: ${words(effect, data, besideOf(beside, key))}` }))}
            onPick={(key) => onPick(key === selected ? null : (layers.find((one) => one.key === key)?.layer ?? null))}
            onPoint={(i) => {
              setPointed(i);
              controller.setHover(i === null || layers[i]?.layer == null ? null : { layer: layers[i].layer, module: null, tensor: null });
            }}
          />
          {shown && pointed !== null && <PlotTip title={shown.long} state={EXACTNESS_LABEL[shown.effect.exactness]} rows={rowsOf(shown.effect, data, besideOf(beside, shown.key))} at={atX(pointed)} width={width} />}
        </>
      )}
    </div>
  );
}
/** Pixels between the two panels. */
const GAP = 14;

const top = (lines: readonly PlotLine[]) => Math.max(0, ...lines.flatMap(({ points }) => points.map(({ y }) => y)));

/** From the lowest cosine, at a quarter, to 1. */
function cosineAxis(lowest: number): Axis {
  const min = Math.max(-1, Math.floor(lowest * 4) / 4);
  const step = min < -0.5 ? 0.5 : 0.25;
  const ticks = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1].filter((at) => at >= min && at % step === 0);
  return { min, max: 1, log: false, title: 'cosine', ticks: ticks.map((at) => ({ at, label: String(at) })) };
}

const ratio = (value: number | null) => (value === null ? '–' : formatMagnitude(Number(value.toFixed(3))));

function rowsOf(effect: Effect, { names, models, reference }: ChartData, beside: BesideChange | null) {
  return [
    { label: `|λ τ merged| / |θ ${reference}|`, value: formatPercent(effect.change), detail: '', mark: { mark: 'line', colour: 'var(--accent)' } as const },
    ...(beside ? [{ label: beside.label, value: formatPercent(beside.change), detail: '', mark: { mark: 'dashed', colour: COMPARED_COLOUR } as const }] : []),
    ...models.map(({ colour }, m) => ({ label: `|τ ${names[m]}| / |θ ${reference}|`, value: formatPercent(effect.tau[m] ?? null), detail: '', mark: { mark: 'dashed', colour } as const })),
    ...models.map(({ colour }, m) => ({ label: `cosine with τ ${names[m]}`, value: ratio(effect.cosine[m] ?? null), detail: '', mark: { mark: 'line', colour } as const })),
  ];
}

/** `|λ τ merged| / |θ base| 3.21 %, ...`: the numbers of one group, for its accessible name. */
function words(effect: Effect, data: ChartData, beside: BesideChange | null): string {
  const numbers = rowsOf(effect, data, beside).map(({ label, value }) => `${label} ${value}`);
  return [...numbers, ...(effect.exactness === 'exact' ? [] : [EXACTNESS_LABEL[effect.exactness]])].join(', ');
}

function legendOf({ models, names, reference }: ChartData, beside: Beside | null): LegendItem[] {
  return [
    { label: `|λ τ merged| / |θ ${reference}|`, mark: 'line', colour: 'var(--accent)' },
    ...(beside ? [{ label: beside.label, mark: 'dashed', colour: COMPARED_COLOUR } as const] : []),
    ...models.map(({ colour }, m): LegendItem => ({ label: `${names[m]}: cosine; dashed |τ| / |θ ${reference}|`, mark: 'line', colour })),
  ];
}

function tableOf(layers: readonly LayerEffect[], whole: Effect | null, { names, reference }: ChartData, beside: Beside | null): Table {
  const number = (value: number | null | undefined): TableCell => (value == null ? { kind: 'text', text: '' } : { kind: 'number', value });
  const row = (label: string, effect: Effect, key: string | null): TableCell[] => [
    { kind: 'text', text: label },
    { kind: 'text', text: EXACTNESS_LABEL[effect.exactness] },
    number(effect.change),
    ...names.map((_, m) => number(effect.tau[m])),
    ...names.map((_, m) => number(effect.cosine[m])),
    ...(beside ? [number(besideOf(beside, key)?.change)] : []),
  ];
  return {
    columns: [
      { label: 'Layer', kind: 'text' },
      { label: 'counted', kind: 'text' },
      { label: `|lambda tau_m| / |theta ${reference}|`, kind: 'number' },
      ...names.map((name) => ({ label: `|tau ${name}| / |theta ${reference}|`, kind: 'number' as const })),
      ...names.map((name) => ({ label: `cosine with tau ${name}`, kind: 'number' as const })),
      ...(beside ? [{ label: beside.label, kind: 'number' as const }] : []),
    ],
    rows: [...layers.map(({ key, short, effect }) => row(short, effect, key)), ...(whole === null ? [] : [row('whole model', whole, null)])],
  };
}
