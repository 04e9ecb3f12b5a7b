import { describe, expect, it } from 'vitest';
import type { FitIssue, TensorEntry } from '../../../src/checkpoint/types';
import { paceOf } from '../../../src/state/progress';
import { factsOf, groupIssues, modelLabels } from '../../../src/state/selectors';
import { checkpoint, PROGRESS } from './fakes';

describe('labels of models', () => {
  it('reserves the colours of Figure 3 for SFT and the first CT, and numbers what shares a role', () => {
    const ids = ['s', 'c1', 'c2', 'o'];
    const labels = modelLabels(ids, { s: 'sft', c1: 'ct', c2: 'ct', o: 'other' }, [{ id: 's', name: 'Flan' }]);
    expect(labels.map(({ name, colour, symbol }) => [name, colour, symbol])).toEqual([
      ['Flan', 'var(--sft)', 'sft'],
      ['c1', 'var(--ct)', 'ct1'],
      ['c2', 'var(--m3)', 'ct2'],
      ['o', 'var(--m4)', 'other'],
    ]);
  });
});

describe('facts of a card', () => {
  const tensor = (name: string, dtype: TensorEntry['dtype'], shape: number[]): TensorEntry => ({
    name,
    dtype,
    shape,
    elements: shape.reduce((a, b) => a * b, 1),
    shard: 0,
    begin: 0,
    end: 0,
  });
  it('counts dtypes by values, layers by names and the vocabulary by rows', () => {
    const one = checkpoint('x', [
      tensor('model.embed_tokens.weight', 'BF16', [384, 8]),
      tensor('model.layers.0.mlp.up_proj.weight', 'F16', [4, 8]),
      tensor('model.layers.7.mlp.up_proj.weight', 'F32', [100, 100]),
    ]);
    expect(factsOf(one)).toEqual({ dtypes: ['F32', 'BF16', 'F16'], layers: 8, vocabulary: 384 });
  });
  it('falls back on config.json where tensors say nothing', () => {
    const one = { ...checkpoint('x', [tensor('w', 'F32', [2])]), config: { layers: 32, vocabulary: 32000 } };
    expect(factsOf(one)).toEqual({ dtypes: ['F32'], layers: 32, vocabulary: 32000 });
  });
});

describe('fit issues', () => {
  it('stand together by kind and model, the gravest first', () => {
    const issue = (kind: FitIssue['kind'], severity: FitIssue['severity'], tensor: string, model = 'm'): FitIssue => ({ kind, severity, tensor, model });
    const groups = groupIssues([
      issue('integer-copied', 'info', 'a'),
      issue('rows-differ', 'warning', 'b'),
      issue('shape-differs', 'refusal', 'c'),
      issue('shape-differs', 'refusal', 'd', 'n'),
      issue('shape-differs', 'refusal', 'e'),
    ]);
    expect(groups.map(({ kind, model, issues }) => [kind, model, issues.length])).toEqual([
      ['shape-differs', 'm', 2],
      ['shape-differs', 'n', 1],
      ['rows-differ', 'm', 1],
      ['integer-copied', 'm', 1],
    ]);
  });
});

describe('the pace of a merge', () => {
  it('weighs reading, writing and re-reading by bytes', () => {
    // 20 of 60 bytes read, 5 of 20 written, 0 of 20 re-read: 25 of 100 in 2 s.
    expect(paceOf(PROGRESS)).toEqual({ share: 0.25, secondsLeft: 6, readRate: 10, reading: 0.45, computing: 0.15, writing: 0.3, bottleneck: 'reading' });
  });
  it('promises nothing in the first second, nor before anything happened', () => {
    expect(paceOf({ ...PROGRESS, elapsedMs: 999 }).secondsLeft).toBeNull();
    const nothing = { ...PROGRESS, bytesRead: 0, bytesWritten: 0, readingMs: 0, computingMs: 0, writingMs: 0 };
    expect(paceOf(nothing)).toMatchObject({ share: 0, secondsLeft: null, readRate: null, bottleneck: null });
    expect(paceOf({ ...nothing, bytesReadTotal: 0, bytesWrittenTotal: 0, elapsedMs: 0 })).toMatchObject({ share: 0, reading: 0 });
  });
});
