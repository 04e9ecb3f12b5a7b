/** Linked hover: which places light up when another chart points somewhere. */
import { expect, it } from 'vitest';
import { isLit } from '../../../src/ui/charts/selection';

const at = (layer: number | null, module: 'q' | 'up' | 'embed' | null) => ({ layer, module, tensor: null });

it.each([
  ['a cell, its own', at(3, 'q'), at(3, 'q'), true],
  ['a cell, its layer', at(3, 'q'), at(3, null), true],
  ['a cell, its module', at(3, 'q'), at(null, 'q'), true],
  ['a layer, a cell in it', at(3, null), at(3, 'up'), true],
  ['a module, a cell of it', at(null, 'q'), at(7, 'q'), true],
  ['what lies before the layers', at(null, 'embed'), at(null, 'embed'), true],
  ['a cell, the same module of another layer', at(3, 'q'), at(4, 'q'), false],
  ['a cell, another module of its layer', at(3, 'q'), at(3, 'up'), false],
  ['a layer, another layer', at(3, null), at(4, null), false],
  ['a layer, what lies outside', at(3, null), at(null, 'embed'), false],
  ['a layer, a module of all layers', at(3, null), at(null, 'q'), false],
  ['a cell, what has no place', at(3, 'q'), at(null, null), false],
])('%s', (_name, hover, place, lit) => {
  expect(isLit(hover, place)).toBe(lit);
});
it('lights nothing when nothing is pointed at', () => {
  expect(isLit(null, at(3, 'q'))).toBe(false);
});
