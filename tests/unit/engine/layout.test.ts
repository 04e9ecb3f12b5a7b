/** Rule: architecture.md, WGSL - struct layouts on the TypeScript side are those of the shader's text. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as layout from '../../../src/engine/layout';

const text = (name: string) => readFileSync(new URL(`../../../shaders/${name}`, import.meta.url), 'utf8');
const WGSL = text('lib/layout.wgsl');

/** Byte offsets of a struct of u32 and array<u32, n> fields, from its declaration. */
function structLayout(name: string, source = WGSL): Record<string, number> {
  const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(source)![1]!;
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const [, field, type] of body.matchAll(/^\s*(\w+): (u32|array<u32, \d+>),/gm)) {
    offsets[field!] = at;
    at += type === 'u32' ? 4 : 4 * Number(/\d+>$/.exec(type!)![0].slice(0, -1));
  }
  return { ...offsets, size: at };
}
const constant = (source: string, name: string) => Number(new RegExp(`const ${name} = (\\d+)u;`).exec(source)![1]);

describe('layout', () => {
  it.each([
    ['Segment', layout.SEGMENT],
    ['Slot', layout.SLOT],
    ['Selection', layout.SELECTION],
    ['Bracket', layout.BRACKET],
    ['Work', layout.WORK],
  ])('%s has the offsets of the shader', (name, mine) => {
    expect(mine).toEqual(structLayout(name));
  });

  it('has the offsets of an adapter\'s request', () => {
    expect(layout.ADAPT).toEqual(structLayout('Request', text('adapt.wgsl')));
  });

  it('has the shader\'s constants', () => {
    expect(4 * layout.BLOCK_WORDS).toBe(structLayout('Block').size);
    expect(layout.MAX_MODELS).toBe(constant(WGSL, 'MAX_MODELS'));
    expect(layout.LANES).toBe(constant(WGSL, 'LANES'));
    expect(layout.SLACK_LANE).toBe(constant(WGSL, 'SLACK_LANE'));
    expect(layout.BLOCK).toBe(constant(WGSL, 'BLOCK'));
    expect(layout.THREADS).toBe(constant(WGSL, 'THREADS'));
    expect(layout.BINS).toBe(constant(WGSL, 'BINS'));
    expect(2 * layout.THREADS * constant(WGSL, 'PAIRS_PER_THREAD')).toBe(layout.BLOCK);
    expect(layout.SUM_WORDS).toBe(constant(text('sums.wgsl'), 'SUM_WORDS'));
  });

  it('has the shader\'s counts', () => {
    const count = text('lib/count.wgsl');
    const { conflict, reserved, overflow, nonfinite, models, perModel, between, words } = layout.COUNT;
    expect([conflict, reserved, overflow, nonfinite, models, between]).toEqual(
      ['CONFLICT', 'RESERVED', 'OVERFLOW', 'NONFINITE', 'PER_MODEL', 'BETWEEN'].map((name) => constant(count, name)),
    );
    expect(words).toBe(constant(count, 'COUNTS'));
    expect(models + layout.MAX_MODELS * perModel).toBe(between);
    expect(between + constant(count, 'PAIRS')).toBe(words);
    expect(layout.pairIndex(layout.MAX_MODELS - 2, layout.MAX_MODELS - 1)).toBe(constant(count, 'PAIRS') - 1);
  });

  it('has the shader\'s vectors, sums and grids of the views', () => {
    const effect = text('effect.wgsl');
    const { firstTau, firstSquare, maxVectors, maxSums } = layout.EFFECT;
    expect([firstTau, firstSquare, maxVectors, maxSums]).toEqual(['FIRST_TAU', 'FIRST_SQUARE', 'MAX_VECTORS', 'MAX_SUMS'].map((name) => constant(effect, name)));
    expect(layout.effectKinds(layout.MAX_MODELS)).toBe(maxSums);
    expect(layout.COUNTED).toBe(constant(text('surface.wgsl'), 'COUNTED'));
  });

  it('codes dtypes as the shader does', () => {
    const dtypes = text('lib/dtypes.wgsl');
    for (const [dtype, code] of Object.entries(layout.DTYPE_CODE)) expect(constant(dtypes, dtype)).toBe(code);
  });
});
