import { describe, expect, it } from 'vitest';
import { layerChart } from '../../../src/export/chart';
import type { ExportCounts } from '../../../src/export/types';

const counts = (numel: number, won: readonly [number, number], kept: readonly [number, number]): ExportCounts => ({ numel, won, kept, conflict: won[0] + won[1], discarded: [won[1], won[0]], reserved: 0 });
const LAYERS = [
  { label: '0', counts: counts(1000, [30, 10], [200, 1000]) },
  { label: '1', counts: counts(1000, [20, 20], [100, 1000]) },
];
const all = (svg: string, pattern: RegExp) => [...svg.matchAll(pattern)].map((found) => found.slice(1).map((part) => (Number.isNaN(Number(part)) ? part : Number(part))));

describe('the chart of the model card', () => {
  it('draws who wins the conflicts of each layer, of all its positions, to one scale', () => {
    // 4 % is the largest; the axis ends at 5 %. It is 232 high and ends at 288.
    const bars = all(layerChart({ models: ['sft', 'ct'], preferred: 0, layers: LAYERS }), /<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)" fill="(#\w+)"/g);
    expect(bars).toEqual([
      [148.8, 139.2, '#0a8299'],
      [102.4, 46.4, '#ad8200'],
      [195.2, 92.8, '#0a8299'],
      [102.4, 92.8, '#ad8200'],
    ]);
  });

  it('draws what the preferred model loses of what it kept, on an axis of its own', () => {
    const svg = layerChart({ models: ['sft', 'ct'], preferred: 0, layers: LAYERS });
    // 10 / 200 and 20 / 100; the axis ends at 20 %.
    expect(all(svg, /<circle cx="([\d.]+)" cy="([\d.]+)"/g)).toEqual([[222, 230], [538, 56]]);
    expect(all(svg, /text-anchor="end">([\d.]+) %</g)).toEqual([[0], [2.5], [5]]);
    expect(all(svg, /text-anchor="start">([\d.]+) %</g)).toEqual([[0], [10], [20]]);
  });

  it('joins layers by the line, and what is outside them by none', () => {
    const svg = layerChart({ models: ['sft', 'ct'], preferred: 0, layers: [{ ...LAYERS[0]!, label: 'embed' }, ...LAYERS, { ...LAYERS[0]!, label: 'head' }] });
    expect(/points="([^"]*)"/.exec(svg)![1]!.split(' ')).toHaveLength(2);
    expect(svg.match(/<circle/g)).toHaveLength(4);
    for (const label of ['embed', '0', '1', 'head']) expect(svg).toContain(`text-anchor="middle">${label}<`);
  });

  it('gives the preferred model the colour of SFT wherever it stands', () => {
    const svg = layerChart({ models: ['ct', 'sft'], preferred: 1, layers: LAYERS });
    expect(svg).toMatch(/#ad8200"\/><text[^>]*>ct wins/);
    expect(svg).toMatch(/#0a8299"\/><text[^>]*>sft wins/);
    expect(svg).toContain('>sft loses<');
  });

  it('does not part the conflicts of three models, of which two may win one', () => {
    const three = { label: '0', counts: { ...LAYERS[0]!.counts, kept: [200, 1000, 1000], won: [30, 20, 10], discarded: [10, 0, 0] } };
    const svg = layerChart({ models: ['a', 'b', 'c'], preferred: 0, layers: [three] });
    expect(all(svg, /<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)" fill="(#\w+)"/g)).toEqual([[102.4, 185.6, '#6b7280']]);
    expect(svg).toContain('>conflict<');
    expect(svg).not.toContain('wins');
  });

  it('labels some of many layers, and shows none without any', () => {
    const layers = Array.from({ length: 80 }, (_, i) => ({ ...LAYERS[0]!, label: String(i) }));
    expect(all(layerChart({ models: ['sft', 'ct'], preferred: 0, layers }), /text-anchor="middle">(\d+)</g).flat()).toEqual(Array.from({ length: 16 }, (_, i) => 5 * i));
    const empty = layerChart({ models: [], preferred: 0, layers: [] });
    expect(empty).not.toMatch(/NaN|Infinity/);
  });

  it('shows hostile names as text', () => {
    const svg = layerChart({ models: ['<script>&', 'a\u0000\ud800\u202eb'], preferred: 0, layers: [{ ...LAYERS[0]!, label: '"><script>' }] });
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;&amp; wins');
    expect(svg).toContain('a\ufffd\ufffd\ufffdb wins');
  });
});
