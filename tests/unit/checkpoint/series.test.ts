/** Which checkpoints are of one run, and what their names say of how far it had come. */
import { describe, expect, it } from 'vitest';
import { readTokens, writeTokens } from '../../../src/checkpoint/roles';
import { guessSteps, runOf, stemOf } from '../../../src/checkpoint/series';

const run = (id: string, names: readonly string[], tokens = {}) => runOf(id, names.map((name) => ({ id: name, name })), tokens);

describe('runOf', () => {
  it.each([
    ['ct-x-4M', ['base', 'ct-x-4M', 'ct-x-256k', 'ct-y-1M', 'ct-x-1M'], ['ct-x-256k', 'ct-x-1M', 'ct-x-4M']],
    ['llama-7b-cpt-60B', ['llama-7b-cpt-60B', 'llama-7b-cpt-7B', 'llama-7b'], ['llama-7b-cpt-7B', 'llama-7b-cpt-60B']],
    ['run/checkpoint-1000', ['run/checkpoint-1000', 'run/checkpoint-500', 'other/checkpoint-500'], ['run/checkpoint-500', 'run/checkpoint-1000']],
    ['ct-x-4M', ['ct-x-4M', 'variants/ct-x-4M-f16'], ['ct-x-4M']],
    ['tamil-12Btokens', ['tamil-12Btokens', 'tamil-3Btokens'], ['tamil-3Btokens', 'tamil-12Btokens']],
    ['gone', ['ct-x-4M'], []],
  ])('%s', (id, names, expected) => expect(run(id, names)).toEqual(expected));

  it('takes tokens typed by hand before those of the name', () => {
    expect(run('ct-x-4M', ['ct-x-1M', 'ct-x-4M'], { 'ct-x-1M': 1e9 })).toEqual(['ct-x-4M', 'ct-x-1M']);
  });
});

it.each([['checkpoint-500', 500], ['run/global_step2000', 2000], ['ckpt_12', 12], ['ct-x-4M', null], ['checkpoint-4M', null], ['llama-2', null]])('guessSteps %s', (name, steps) => {
  expect(guessSteps(name)).toBe(steps);
});

it('a stem keeps words and drops quantities', () => {
  expect([stemOf('CT-x-512k'), stemOf('ct_x.4M'), stemOf('ct-xx-4M')]).toEqual(['ct-x-#', 'ct-x-#', 'ct-xx-#']);
});

describe('tokens as text', () => {
  it.each([['131072', 131_072], ['512k', 524_288], ['1.5B', 1.5e9], ['4M', 4_194_304], [' 2 t ', 2e12], ['1_000', 1000], ['0', null], ['-3', null], ['many', null], ['1e9', null], ['', null]])('%s', (text, tokens) => {
    expect(readTokens(text)).toBe(tokens);
  });
  it.each([[131_072, '128k'], [4_194_304, '4M'], [1.5e9, '1.5B'], [1000, '1000'], [30e9, '30B'], [1_234_567, '1234567']])('%d is written %s', (tokens, text) => {
    expect([writeTokens(tokens), readTokens(text)]).toEqual([text, tokens]);
  });
});
