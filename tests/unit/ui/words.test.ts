import { describe, expect, it } from 'vitest';
import type { BackendState } from '../../../src/state/types';
import { aboutSeconds, formatBytes, formatParameters, formatSeconds, formatShape, showName } from '../../../src/ui/format';
import { countTitle, exportLines, noteLines, planWords } from '../../../src/ui/run/plan-words';
import { chipOf } from '../../../src/ui/shell/Header';

const plain = (text: string) => text.replace(/\s/g, ' ');

describe('the files beside the weights', () => {
  it('are worth a sentence where they will not do as they are', () => {
    const change = (field: string, from: unknown, to: string | number) => ({ kind: 'config-changed' as const, model: 'ct', change: { field, from, to } });
    expect(exportLines([change('dtype', 'float32', 'bfloat16'), change('text_config.torch_dtype', undefined, 'float16')])).toEqual([]);
    const lines = exportLines([
      change('vocab_size', 300, 304),
      change('tie_word_embeddings', undefined, 'true'),
      { kind: 'tokenizer-larger', model: 'ct', tokens: 304, rows: 300 },
      { kind: 'custom-code', model: 'ct', names: ['modeling_own.py'] },
    ]);
    expect(lines.slice(0, 2)).toEqual(['config.json: vocab_size becomes 304 instead of 300, which is true of the weights.', 'config.json: tie_word_embeddings becomes true, which is true of the weights.']);
    expect(lines[2]).toMatch(/^ct has 304 tokens, but only 300 rows/);
    expect(lines[3]).toContain('modeling_own.py');
  });
});

describe('sizes and times', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [3_158_072, '3.2 MB'],
    [99_949_999, '99.9 MB'],
    [99_950_000, '100 MB'],
    [999_499_999, '999 MB'],
    [999_500_000, '1.0 GB'],
    [13_500_000_000, '13.5 GB'],
    [2_000_000_000_000_000, '2000 TB'],
  ])('%d bytes are %s', (bytes, text) => expect(plain(formatBytes(bytes))).toBe(text));

  it.each([
    [12, '12'],
    [1_575_040, '1.58 M'],
    [6_738_415_616, '6.74 B'],
    [13_015_864_320, '13.0 B'],
    [999_600, '1.00 M'],
  ])('%d parameters are %s', (count, text) => expect(plain(formatParameters(count))).toBe(text));

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.95, '10 s'],
    [59.6, '1 min 0 s'],
    [200, '3 min 20 s'],
    [3599.4, '59 min 59 s'],
    [3600, '1 h 0 min'],
    [7530, '2 h 6 min'],
  ])('%d seconds are %s', (seconds, text) => expect(plain(formatSeconds(seconds))).toBe(text));

  it('writes shapes, and names that are none', () => {
    expect([formatShape([384, 128]), formatShape([]), formatShape(undefined)].map(plain)).toEqual(['384 × 128', '1', '–']);
    expect([showName(''), showName('<img onerror>'), showName('a\nb')]).toEqual(['(empty name)', '<img onerror>', 'a\\u000ab']);
    expect(showName('abcdefghij', 7)).toBe('abc…hij');
    expect(showName('a\u0085\u061c\u2028\u202e\u2066\u206f\ufeff\u{e0041}b')).toBe('a\\u0085\\u061c\\u2028\\u202e\\u2066\\u206f\\ufeff\\ue0041b');
  });
});

describe('the plan in words', () => {
  const summary = { tensors: 291, parameters: 1, bytesRead: 40_500_000_000, bytesWritten: 13_500_000_000, peakBytes: 1_100_000_000, rankingReadings: 0, notes: [], issues: [], refusals: [] };
  it('counts tensors, shards, bytes and memory', () => {
    const shards = [{ file: 'a', bytes: 1 }, { file: 'b', bytes: 1 }, { file: 'c', bytes: 1 }];
    const { writes, takes } = planWords({ ...summary, shards });
    expect([plain(writes), plain(takes)]).toEqual(['291 tensors, 3 shards, 13.5 GB', 'reads 40.5 GB, memory up to 1.1 GB']);
    expect(plain(planWords({ ...summary, tensors: 1, shards: shards.slice(0, 1) }).writes)).toBe('1 tensor, 1 shard, 13.5 GB');
  });
  it('says how long it takes about, as a person would, and nothing where that is not known', () => {
    const takes = (seconds: number | null, recheck = false) => plain(planWords({ ...summary, shards: [] }, seconds, recheck).takes);
    expect(takes(251)).toBe('about 4 min, reads 40.5 GB, memory up to 1.1 GB');
    expect(takes(251, true)).toBe('about 4 min and more to compute it again, reads 40.5 GB, memory up to 1.1 GB');
    expect(takes(null)).toBe('reads 40.5 GB, memory up to 1.1 GB');
    const about = (seconds: number) => plain(aboutSeconds(seconds));
    expect([0.1, 7.9, 8, 54, 55, 89, 91, 569, 571, 3400, 3500, 5300, 9 * 3600, 25.6 * 3600].map(about)).toEqual(['a few seconds', 'a few seconds', 'about 10 s', 'about 50 s', 'about 1 min', 'about 1 min', 'about 2 min', 'about 9 min', 'about 10 min', 'about 55 min', 'about 1 h', 'about 1.5 h', 'about 9 h', 'about 26 h']);
  });
  it('tells how often counting everything reads the inputs: more than once to rank over the whole model', () => {
    expect(plain(countTitle(summary))).toBe('Reads the inputs once, 40.5 GB at most in all, and writes nothing: every estimate on the charts becomes exact.');
    expect(plain(countTitle({ ...summary, bytesRead: 120e9, rankingReadings: 2 }))).toMatch(/^Reads the inputs 3 times, 2 of them to rank over the whole model, 120 GB at most in all/);
  });
  it('counts each tensor of a note once', () => {
    const notes = noteLines([
      { kind: 'k-raised-to-one', tensor: 'a', model: 'x' },
      { kind: 'k-raised-to-one', tensor: 'a', model: 'y' },
      { kind: 'taken', tensor: 'b' },
    ]);
    expect(notes.map(({ line }) => line)).toEqual(['One value kept where the density asks for none: 1 tensor', 'Taken whole from one model: 1 tensor']);
  });
});

describe('the chip of the backend', () => {
  const state = (patch: Partial<BackendState>): BackendState => ({ choice: 'auto', report: null, problem: null, starting: false, measuring: false, memory: { chosen: null, automatic: null }, ...patch });
  const report = (kind: 'webgpu' | 'cpu', software: boolean): BackendState['report'] => ({
    info: { kind, label: 'Card', software, arithmetic: 'native' },
    gpuProblem: null,
    selfTest: [],
    speeds: [],
    why: 'asked',
  });
  it.each([
    [state({ starting: true }), 'off', 'starting'],
    [state({ report: report('webgpu', false) }), 'good', 'WebGPU, Card'],
    [state({ report: report('webgpu', true) }), 'warn', 'WebGPU (software), Card'],
    [state({ report: report('cpu', false) }), 'warn', 'CPU'],
    [state({ problem: { code: 'internal', reason: 'x', message: '', where: {} } }), 'bad', 'not available'],
  ])('tells what computes', (backend, colour, label) => expect(chipOf(backend)).toEqual({ state: colour, label }));
});
