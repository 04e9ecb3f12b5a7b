/** guessRoles and guessTokens: what researchers call their folders. */
import { describe, expect, it } from 'vitest';
import { guessRoles, guessTokens } from '../../../src/checkpoint/roles';
import type { Checkpoint } from '../../../src/checkpoint/types';

/** Roles by name: the id is the name. */
const roles = (...names: string[]) => {
  const { base, sft, ct, other } = guessRoles(names.map((name) => ({ id: name, name })));
  return [base, sft, ct, other];
};

describe('guessRoles', () => {
  it.each([
    [['base', 'sft', 'ct-x-512k'], ['base', 'sft', ['ct-x-512k'], []]],
    [['ct-x-512k', 'sft', 'base'], ['base', 'sft', ['ct-x-512k'], []]],
    [['Llama-2-7b-hf', 'Llama-2-7b-chat-hf', 'Llama-2-7b-tamil'], ['Llama-2-7b-hf', 'Llama-2-7b-chat-hf', ['Llama-2-7b-tamil'], []]],
    [['google/gemma-2b', 'google/gemma-2b-it', 'gemma-2b-bo'], ['google/gemma-2b', 'google/gemma-2b-it', ['gemma-2b-bo'], []]],
    [['flan', 'llama', 'llama_cpt_uyghur'], ['llama', 'flan', ['llama_cpt_uyghur'], []]],
    [['sft', 'ct-x'], [null, 'sft', ['ct-x'], []]],
    // Names that say nothing: base, SFT, CT by order.
    [['one', 'two', 'three', 'four'], ['one', 'two', ['four', 'three'], []]],
    [['one'], ['one', null, [], []]],
    [[], [null, null, [], []]],
    // A role is taken once; merges have none.
    [['base', 'base-sharded', 'sft', 'sft-2', 'merged-ties'], ['base', 'sft', [], ['base-sharded', 'sft-2', 'merged-ties']]],
    // Continual pre-training of an instruction model is CT.
    [['base', 'ct-instruct'], ['base', null, ['ct-instruct'], []]],
  ])('%s', (names, expected) => expect(roles(...names)).toEqual(expected));

  it('never takes an adapter for the base, whatever it is called', () => {
    const adapter = { rank: 8 } as Checkpoint['adapter'];
    const of = (id: string, isAdapter: boolean) => ({ id, name: id, ...(isAdapter ? { adapter } : {}) });
    expect(guessRoles([of('base-lora', true), of('llama', false), of('other', true)] as never)).toEqual({ base: 'llama', sft: 'other', ct: [], other: ['base-lora'] });
    expect(guessRoles([of('lora', true)] as never)).toMatchObject({ base: null, sft: 'lora' });
  });

  it('sorts CT by what they were trained on, then by tokens', () => {
    expect(roles('base', 'sft', 'ct-y-1M', 'ct-x-1M', 'ct-x-128k', 'ct-y-256k', 'ct-x-4M')[2]).toEqual(['ct-x-128k', 'ct-x-1M', 'ct-x-4M', 'ct-y-256k', 'ct-y-1M']);
  });
});

describe('guessTokens', () => {
  it.each([
    ['ct-x-128k', 131_072],
    ['ct-x-512k', 524_288],
    ['ct-x-4M', 4_194_304],
    ['variants/ct-x-4M-f16', 4_194_304],
    ['llama-7b-cpt-30B', 30e9],
    ['llama_ct_1.5b', 1.5e9],
    ['Qwen-300Btok', 300e9],
    ['tamil-2B-tokens', 2e9],
    ['ct-7b-tokens-3B', 3e9],
    ['cpt-300Btokens-7b', 300e9],
    ['ct-1T', 1e12],
    // Sizes and context lengths are not tokens.
    ['Llama-2-7b-hf', null],
    ['llama-7b-ct', null],
    ['Phi-3-mini-128k-instruct', null],
    ['base', null],
    ['ct-x-512', null],
  ])('%s: %s', (name, tokens) => expect(guessTokens(name)).toBe(tokens));
});
