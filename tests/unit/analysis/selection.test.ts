import { describe, expect, test } from 'vitest';
import { breakDown } from '../../../src/analysis/aggregate';
import type { ModuleKind } from '../../../src/checkpoint/types';
import { emptyFigures } from '../../../src/merge/figures';
import { shortNames, withShownName } from '../../../src/ui/charts/labels';
import { cellOf, groupOf, scopeName, tensorsOf } from '../../../src/ui/charts/selection';
import type { ChartsView } from '../../../src/ui/charts/types';

const places: Record<string, { layer: number | null; module: ModuleKind }> = {
  embed: { layer: null, module: 'embed' },
  'norm.final': { layer: null, module: 'norm' },
  'norm.0a': { layer: 0, module: 'norm' },
  'norm.0b': { layer: 0, module: 'norm' },
  'q.0': { layer: 0, module: 'q' },
  'q.1': { layer: 1, module: 'q' },
};
const counts = Object.keys(places).map((tensor) => ({ tensor, figures: emptyFigures(2), exact: true, elements: 0, thresholds: [] as (number | null)[], spread: null }));
const breakdown = breakDown(counts, (name) => places[name]!, ['embed', 'q', 'norm'], 2);
const view = (patch: Partial<ChartsView>): ChartsView => ({ tab: 'map', layer: null, module: null, tensor: null, shown: {}, ...patch });

describe('the selection shared by the charts', () => {
  test.each([
    [{}, null, null],
    [{ layer: 1 }, null, '1'],
    [{ module: 'norm' }, null, null],
    [{ layer: 0, module: 'norm' }, [0, 'norm'], '0'],
    [{ layer: 1, module: 'norm' }, null, '1'],
    // Outside the layers a layer cannot be named: the tensor tells the final norm from those of the layers.
    [{ module: 'norm', tensor: 'norm.final' }, [null, 'norm'], 'head'],
    [{ module: 'embed', tensor: 'embed' }, [null, 'embed'], 'embed'],
    [{ tensor: 'q.1' }, [1, 'q'], '1'],
    [{ layer: 0, module: 'q', tensor: 'gone' }, [0, 'q'], '0'],
  ] as [Partial<ChartsView>, [number | null, ModuleKind] | null, string | null][])('%j: cell %j, group %j', (patch, cell, group) => {
    const found = cellOf(view(patch), breakdown);
    expect(found && [found.layer, found.module]).toEqual(cell);
    expect(groupOf(view(patch), breakdown)).toBe(group);
  });

  test('tensors of a layer, of a module, of both, of all', () => {
    const names = (layer: number | null, module: ModuleKind | null) => tensorsOf(layer, module, breakdown).map(({ tensor }) => tensor);
    expect(names(0, null)).toEqual(['q.0', 'norm.0a', 'norm.0b']);
    expect(names(null, 'norm')).toEqual(['norm.0a', 'norm.0b', 'norm.final']);
    expect(names(0, 'norm')).toEqual(['norm.0a', 'norm.0b']);
    expect(names(null, null)).toHaveLength(6);
  });
});

// Names come from files, which may hold anything.
describe('names on the charts', () => {
  const turned = 'a\u202eb';
  const seen = 'a\\u202eb';
  test('of models and of members of a series show what turns text around', () => {
    const models = [turned, turned, 'plain'].map((name, i) => withShownName({ id: String(i), name, role: 'other' as const, colour: '' }));
    expect(models.map(({ name }) => name)).toEqual([seen, seen, 'plain']);
    expect(shortNames(models)).toEqual([seen, `${seen} (2)`, 'plain']);
  });
  test('of a selected tensor show it too', () => {
    expect(scopeName({ layer: null, module: null, tensor: turned })).toBe(seen);
  });
});

describe('shortNames', () => {
  const model = (name: string, role: 'sft' | 'ct' | 'other') => ({ id: name, name, role, colour: '' });
  test('the role where only one model has it, else the name', () => {
    expect(shortNames([model('a', 'sft'), model('b', 'ct')])).toEqual(['SFT', 'CT']);
    expect(shortNames([model('a', 'sft'), model('b', 'ct'), model('c', 'ct')])).toEqual(['SFT', 'b', 'c']);
    expect(shortNames([model('m', 'other'), model('m', 'other')])).toEqual(['m', 'm (2)']);
  });
});
