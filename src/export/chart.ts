/** The figures of a merge by layer as one SVG file, for the model card and for papers: conflicts by who wins, and what is lost. */
import { INVISIBLE } from './markdown';
import type { ExportCounts } from './types';

/** User units; one is a pixel where the card is shown. */
const WIDTH = 760;
const HEIGHT = 340;
const LEFT = 64;
const RIGHT = 64;
const TOP = 56;
const BOTTOM = 52;
/** Labels of layers that fit side by side. */
const MOST_LABELS = 16;
const NUMBER = /^\d+$/;
/** SFT and CT as in Figure 3 of the paper, and conflicts that are nobody's; on white. */
const SFT = '#0a8299';
const CT = '#ad8200';
const CONFLICT = '#6b7280';
const INK = '#1f2328';

export const CHART_FILE = 'merge_by_layer.svg';

export interface ChartInput {
  /** Names of the models, in recipe order. */
  readonly models: readonly string[];
  /** Index of the model whose losses are the line; it has the colour of SFT. */
  readonly preferred: number;
  /** In the order of the network: layers by number, what is outside them by name. */
  readonly layers: readonly { readonly label: string; readonly counts: ExportCounts }[];
}

/**
 * Bars: positions in conflict of all positions of the layer, parted by who wins them where there are two models. Line: discarded of kept values of the
 * preferred model, on the axis to the right (merging.md section 5). A file of its own: no script, no font, nothing from outside.
 */
export function layerChart({ models, preferred, layers }: ChartInput): string {
  const won = layers.map(({ counts }) => stackOf(counts, models.length).map((part) => shareOf(part, counts.numel)));
  const lost = layers.map(({ counts }) => shareOf(counts.discarded[preferred] ?? 0, counts.kept[preferred] ?? 0));
  const top = roundAbove(Math.max(0, ...won.map((parts) => parts.reduce((sum, part) => sum + part, 0))));
  const topLost = roundAbove(Math.max(0, ...lost));
  const [width, height] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const band = width / Math.max(1, layers.length);
  const x = (layer: number) => LEFT + (layer + 0.5) * band;
  const y = (part: number, most: number) => TOP + height * (1 - part / most);
  const colours = models.length === 2 ? coloursOf(preferred) : [CONFLICT];

  const bars = won.flatMap((parts, layer) => {
    let below = 0;
    return parts.map((part, model) => {
      const [from, to] = [y(below, top), y((below += part), top)];
      return `<rect x="${round(x(layer) - 0.35 * band)}" y="${round(to)}" width="${round(0.7 * band)}" height="${round(from - to)}" fill="${colours[model]}"/>`;
    });
  });
  // Embeddings and head are no neighbours of a layer.
  const line = lost.flatMap((part, layer) => (NUMBER.test(layers[layer]!.label) ? [`${round(x(layer))},${round(y(part, topLost))}`] : [])).join(' ');
  const every = Math.ceil(layers.length / MOST_LABELS);
  const isLabelled = (label: string) => !NUMBER.test(label) || Number(label) % every === 0;
  const labels = layers.flatMap(({ label }, layer) => (isLabelled(label) ? [text(x(layer), HEIGHT - BOTTOM + 18, label, 'middle')] : []));
  const ticks = [0, 0.5, 1].flatMap((part) => {
    const at = TOP + height * (1 - part);
    return [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(at)}" y2="${round(at)}" stroke="#d0d7de"/>`,
      text(LEFT - 8, at + 4, percent(part * top), 'end'),
      text(WIDTH - RIGHT + 8, at + 4, percent(part * topLost), 'start'),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="${INK}" role="img">`,
    `<title>${escaped('Conflicts and losses of the merge by layer')}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...legend(models, preferred, colours),
    ...ticks,
    ...bars,
    `<polyline points="${line}" fill="none" stroke="#ffffff" stroke-width="5"/>`,
    `<polyline points="${line}" fill="none" stroke="${INK}" stroke-width="2"/>`,
    ...lost.map((part, layer) => `<circle cx="${round(x(layer))}" cy="${round(y(part, topLost))}" r="2.5"/>`),
    ...labels,
    text(LEFT, TOP - 12, 'conflict / all positions', 'start'),
    text(WIDTH - RIGHT, TOP - 12, 'discarded / kept', 'end'),
    text(LEFT + width / 2, HEIGHT - 12, 'layer', 'middle'),
    '</svg>',
    '',
  ].join('\n');
}

/** Of two models one wins each conflict; of more, several may, and their counts are no parts of the whole. */
function stackOf({ won, conflict }: ExportCounts, models: number): readonly number[] {
  return models === 2 ? won : [conflict];
}

/** The preferred model has the colour of SFT, as on the page. */
function coloursOf(preferred: number): string[] {
  return preferred === 0 ? [SFT, CT] : [CT, SFT];
}

function legend(models: readonly string[], preferred: number, colours: readonly string[]): string[] {
  const bars = models.length === 2 ? models.map((name) => `${shortened(name)} wins`) : ['conflict'];
  const entries = bars.map((words, i) => ({ mark: `<rect width="12" height="12" fill="${colours[i]}"/>`, words }));
  entries.push({ mark: `<line x2="12" y1="6" y2="6" stroke="${INK}" stroke-width="2"/>`, words: `${shortened(models[preferred] ?? '')} loses` });
  const each = (WIDTH - LEFT - RIGHT) / entries.length;
  return entries.map(({ mark, words }, i) => `<g transform="translate(${round(LEFT + i * each)} 12)">${mark}${text(18, 11, words, 'start')}</g>`);
}

/** What stands beside others in one row. */
const shortened = (name: string) => (name.length > 18 ? `${name.slice(0, 17)}…` : name);

function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

const shareOf = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
const round = (value: number) => String(Number(value.toFixed(2)));
const percent = (part: number) => `${Number((100 * part).toPrecision(3))} %`;

/** The end of an axis: 1, 2 or 5 times a power of ten, at or above `most`. */
function roundAbove(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return Number(([1, 2, 5, 10].find((step) => step * power >= most * (1 - 1e-9))! * power).toPrecision(12));
}

/** Text of XML: what no document may hold, or nobody would see, is replaced; a name cannot become markup. */
function escaped(words: string): string {
  return words
    .replace(/[^\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(INVISIBLE, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
