/** Saves a chart as a file: CSV, an SVG with every colour written out, or a PNG drawn from that SVG. */

/** Presentation that a stylesheet or a custom property may have set: written out so that the file stands alone. All but `opacity` inherit. */
const INLINED = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'stroke-linecap',
  'opacity',
  'font-size',
  'font-weight',
  'text-anchor',
  'dominant-baseline',
];
/** What the root inherits in a file of its own: nothing, so everything it computes is written. */
const INITIAL: readonly string[] = [];
const COLOURS = new Set(['fill', 'stroke']);
const DROPPED = /^(class|style|tabindex|role|aria-.*|data-.*)$/;
const PAPER_FONT = 'Helvetica, Arial, sans-serif';
/** Device pixels per unit of the PNG: 700 units become 2,100 pixels, 300 dpi at 7 inches, a page's text width. */
const PNG_SCALE = 3;
const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';
const LEGEND_ROW = 20;

/** Offers `text` as a download. A data URL, since nothing has to be kept alive and freed for it. */
export function saveText(name: string, type: 'text/csv' | 'image/svg+xml', text: string): void {
  saveUrl(name, `data:${type};charset=utf-8,${encodeURIComponent(text)}`);
}

/** Draws a serialised SVG on a white canvas and offers it as a PNG. Rejects when the browser cannot draw the image. */
export async function savePng(name: string, svg: string): Promise<void> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth * PNG_SCALE;
  canvas.height = image.naturalHeight * PNG_SCALE;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2d canvas');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  saveUrl(name, canvas.toDataURL('image/png'));
}

/**
 * A chart as a stand-alone SVG on white, in the colours of the light theme whatever the page shows, with its legend
 * beneath. `legend` is the list on the page: in each item the mark is an `<svg>`, the rest is text.
 */
export function paperSvg(chart: SVGSVGElement, legend: HTMLElement | null, title: string): string {
  const { width, height } = chart.getBoundingClientRect();
  const paper = svgElement('svg', { width, 'font-family': PAPER_FONT });
  const heading = svgElement('title', {});
  heading.textContent = title;
  const host = document.createElement('div');
  host.className = 'charts-paper';
  host.dataset['theme'] = 'light';
  host.append(paper);
  document.body.append(host);
  try {
    const body = chart.cloneNode(true) as SVGSVGElement;
    // What is selected is the reader's business on the page, not the paper's.
    for (const marked of body.querySelectorAll('[aria-selected]')) marked.removeAttribute('aria-selected');
    body.setAttribute('width', String(width));
    body.setAttribute('height', String(height));
    paper.append(heading, svgElement('rect', { width: '100%', height: '100%', fill: '#ffffff' }), body);
    const bottom = height + (legend ? placeLegend(paper, legend, width, height + 8) : 0);
    paper.setAttribute('height', String(bottom));
    paper.setAttribute('viewBox', `0 0 ${width} ${bottom}`);
    inline(paper);
    return new XMLSerializer().serializeToString(paper);
  } finally {
    host.remove();
  }
}

/** Lays the legend out in rows as wide as the chart; returns the height it takes. */
function placeLegend(paper: SVGSVGElement, legend: HTMLElement, width: number, top: number): number {
  let x = 8;
  let y = top;
  for (const item of legend.children) {
    const text = svgElement('text', { 'font-size': 12, fill: 'var(--ink)' });
    text.textContent = item.textContent;
    paper.append(text);
    const advance = 26 + text.getComputedTextLength() + 18;
    if (x > 8 && x + advance > width) {
      x = 8;
      y += LEGEND_ROW;
    }
    const mark = item.querySelector('svg')!.cloneNode(true) as SVGSVGElement;
    mark.setAttribute('x', String(x));
    mark.setAttribute('y', String(y));
    paper.append(mark);
    text.setAttribute('x', String(x + 26));
    text.setAttribute('y', String(y + 10));
    x += advance;
  }
  return y - top + LEGEND_ROW + 8;
}

/** Writes computed presentation into attributes, where it is not inherited already, and drops what only the page needs. */
function inline(root: SVGSVGElement): void {
  const rgb = colourReader();
  for (const blank of root.querySelectorAll('title:empty, desc')) blank.remove();
  // Read everything before writing: an attribute of a parent must not change what a child computes.
  const computed = new Map([root, ...root.querySelectorAll('*')].map((element) => [element, valuesOf(element)]));
  for (const [element, values] of computed) {
    for (const { name } of [...element.attributes]) if (DROPPED.test(name)) element.removeAttribute(name);
    const inherited = computed.get(element.parentElement!) ?? INITIAL;
    values.forEach((value, i) => {
      const property = INLINED[i]!;
      if (value === (property === 'opacity' ? '1' : inherited[i])) element.removeAttribute(property);
      else element.setAttribute(property, COLOURS.has(property) && !/^(none|url\()/.test(value) ? rgb(value) : value);
    });
  }
}

function valuesOf(element: Element): string[] {
  const style = getComputedStyle(element);
  return INLINED.map((property) => style.getPropertyValue(property));
}

/** Turns any CSS colour, oklab() of a colour-mix included, into #rrggbb or rgba() that every SVG reader knows. */
function colourReader(): (colour: string) => string {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2d canvas');
  const known = new Map<string, string>();
  return (colour) => {
    const found = known.get(colour);
    if (found !== undefined) return found;
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    const hex = [r!, g!, b!].map((value) => value.toString(16).padStart(2, '0')).join('');
    const written = a === 0 ? 'none' : a === 255 ? `#${hex}` : `rgba(${r},${g},${b},${(a! / 255).toFixed(3)})`;
    known.set(colour, written);
    return written;
  };
}

function svgElement<K extends keyof SVGElementTagNameMap>(name: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG_NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function saveUrl(name: string, url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
