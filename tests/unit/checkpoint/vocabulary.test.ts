/** Tokens of tokenizer.json files, made by the tokenizers library (tests/fixtures/tokenizers/make.py), and rows matched by them. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../../src/bytes/source';
import { fitCheckpoints } from '../../../src/checkpoint/fit';
import type { FileEntry, Vocabulary } from '../../../src/checkpoint/types';
import { VocabularyReader, compareVocabularies, matchRows, readVocabulary } from '../../../src/checkpoint/vocabulary';
import { checkpointOf, text } from './folder';

const root = new URL('../../fixtures/tokenizers/', import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(`${name}.json`, root)));
const expected = JSON.parse(readFileSync(new URL('expected.json', root), 'utf8')) as Record<string, Record<string, number>>;
const vocabulary = (tokens: readonly (string | undefined)[]): Vocabulary => ({ tokens, rows: new Map(tokens.flatMap((token, id) => (token === undefined ? [] : [[token, id]]))) });

describe('readVocabulary', () => {
  it.each(Object.keys(expected))('%s: every token has the id the library gives it', (name) => {
    const read = readVocabulary(bytesOf(name))!;
    expect(Object.fromEntries(read.rows)).toEqual(expected[name]);
    for (const [token, id] of read.rows) expect(read.tokens[id]).toBe(token);
  });

  it.each([
    ['no object', '[]'],
    ['no vocabulary', '{"model":{"type":"BPE"}}'],
    ['an empty one', '{"model":{"vocab":{}}}'],
    ['one id twice', '{"model":{"vocab":{"a":0,"b":0}}}'],
    ['one token twice', '{"model":{"vocab":{"a":0}},"added_tokens":[{"id":1,"content":"a"}]}'],
    ['an id that would make a table of millions', '{"model":{"vocab":{"a":4194304}}}'],
    ['a negative id', '{"model":{"vocab":{"a":-1}}}'],
    ['an id that is no number', '{"model":{"vocab":{"a":"0"}}}'],
    ['added tokens that are none', '{"model":{"vocab":{"a":0}},"added_tokens":[5]}'],
    ['broken off', '{"model":{"vocab":{"a":0'],
  ])('gives nothing for %s', (_, json) => expect(readVocabulary(text(json))).toBeNull());

  it('keeps names that objects have of their own', () => {
    const read = readVocabulary(text('{"model":{"vocab":{"__proto__":1,"constructor":0}},"added_tokens":[{"id":1,"content":"__proto__"}]}'))!;
    expect([...read.rows].sort()).toEqual([['__proto__', 1], ['constructor', 0]]);
  });
});

describe('rows by token', () => {
  const a = vocabulary(['<s>', 'cat', 'dog', 'mat', undefined, undefined]);
  const b = vocabulary(['<s>', 'new', 'cat', 'dog', undefined]);

  it('counts what is shared, moved and in one alone', () => {
    expect(compareVocabularies(a, b)).toEqual({ shared: 3, moved: 2, onlyInModel: 1, onlyInBase: 1 });
    const [bpe, extended, other] = ['bpe', 'bpe-extended', 'bpe-other'].map((name) => readVocabulary(bytesOf(name))!);
    expect(compareVocabularies(bpe!, extended!)).toEqual({ shared: bpe!.rows.size, moved: 0, onlyInModel: 2, onlyInBase: 0 });
    const shared = Object.keys(expected['bpe']!).filter((token) => Object.hasOwn(expected['bpe-other']!, token));
    expect(compareVocabularies(bpe!, other!)).toMatchObject({ shared: shared.length, moved: shared.filter((token) => expected['bpe']![token] !== expected['bpe-other']![token]).length });
  });

  it('finds runs, leaves out what the model lacks, and matches padding by number', () => {
    // Row 4 has no token in either; row 5 is beyond the model.
    expect(matchRows(a, b, 6, 5)).toEqual([{ first: 0, row: 0, count: 1 }, { first: 1, row: 2, count: 2 }, { first: 4, row: 4, count: 1 }]);
    // A token whose row the embedding does not reach is not there.
    expect(matchRows(a, b, 6, 3)).toEqual([{ first: 0, row: 0, count: 1 }, { first: 1, row: 2, count: 1 }]);
  });

  it('maps every row to the row of its token, for any order', () => {
    const tokens = fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map(String), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(tokens, tokens, (one, two) => {
        const runs = matchRows(vocabulary(one), vocabulary(two), one.length, two.length);
        const rows = runs.flatMap(({ first, row, count }) => Array.from({ length: count }, (_, i) => [first + i, row + i]));
        expect(rows).toEqual(one.flatMap((token, i) => (two.includes(token) ? [[i, two.indexOf(token)]] : [])));
      }),
    );
  });
});

describe('the preflight', () => {
  it('says once a model how many tokens moved; an extended vocabulary and equal tokenizers need nothing', () => {
    const tensors = { 'model.embed_tokens.weight': [6, 4], 'lm_head.weight': [6, 4] };
    const of = (name: string, file: string) => ({ ...checkpointOf(name, tensors), vocabulary: readVocabulary(bytesOf(file))! });
    expect(fitCheckpoints(of('base', 'bpe'), [of('same', 'bpe'), of('more', 'bpe-extended'), checkpointOf('bare', tensors)])).toEqual([]);
    expect(fitCheckpoints(of('base', 'bpe'), [of('m', 'bpe-other')])).toEqual([
      { kind: 'tokens-differ', severity: 'warning', tensor: 'model.embed_tokens.weight', model: 'm', tokens: compareVocabularies(readVocabulary(bytesOf('bpe'))!, readVocabulary(bytesOf('bpe-other'))!) },
    ]);
  });

  it('reads equal tokenizers into one object, and carries on without one it cannot read', async () => {
    const reader = new VocabularyReader();
    const with_ = (name: string, content: Uint8Array<ArrayBuffer>) => {
      const file: FileEntry = { id: name, path: `${name}/tokenizer.json`, size: content.length, modified: 0 };
      return reader.with({ ...checkpointOf(name, {}), sidecars: [file] }, async () => new MemorySource(name, content));
    };
    const [one, two, broken] = [await with_('one', bytesOf('bpe')), await with_('two', bytesOf('bpe')), await with_('broken', text('{'))];
    expect(one.vocabulary).toBeDefined();
    expect(two.vocabulary).toBe(one.vocabulary);
    expect(broken.vocabulary).toBeUndefined();
  });
});
