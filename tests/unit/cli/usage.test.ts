/** The command line: what it takes, and what it says of what it does not. */
import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from '../../../src/cli/usage';
import { shardsOfPart } from '../../../src/merge/part';

const merge = (...more: string[]) => readOptions(['merge', 'r.yml', '--out', 'o', ...more])!;

describe('options', () => {
  it('has defaults, and takes what is given', () => {
    expect(merge()).toEqual({
      command: 'merge', recipe: 'r.yml', out: 'o', models: new Map(), backend: 'auto', shardBytes: 5e9,
      memoryBytes: 1152 * 2 ** 20, part: null, finish: null,
      replace: false, resume: false, allowNonfinite: false, extraRows: null, rowsById: false, leaveOut: [], integersFrom: [], grid: [], quiet: false, recheck: false,
    });
    expect(merge('-m', 'a=/x=y', '--model', 'b=z', '--part', '2/8', '--backend', 'cpu', '--leave-out', 'a:t', '-q')).toMatchObject({
      models: new Map([['a', '/x=y'], ['b', 'z']]), part: { part: 2, of: 8 }, backend: 'cpu', leaveOut: ['a:t'], quiet: true,
    });
    expect(readOptions(['plan', 'r.yml'])).toMatchObject({ command: 'plan', out: null });
    expect(readOptions(['batch', 'r.yml', '--out', 'o', '--grid', 'a=0.2,1', '--grid', 'b=0.4'])).toMatchObject({
      command: 'batch', grid: [{ model: 'a', densities: [0.2, 1] }, { model: 'b', densities: [0.4] }],
    });
  });

  it.each([['5GB', 5e9], ['1.5mb', 1.5e6], ['400 kB', 4e5], ['12', 12]])('reads the size %s', (text, bytes) => {
    expect(merge('--shard-size', text).shardBytes).toBe(bytes);
  });

  it('shows the help for nothing and for --help', () => {
    expect([readOptions([]), readOptions(['--help']), readOptions(['merge', '-h'])]).toEqual([null, null, null]);
  });

  it.each([
    [['burn', 'r.yml'], 'there is no command burn'],
    [['merge'], 'needs the path of a recipe'],
    [['merge', 'r.yml'], '--out'],
    [['verify', 'r.yml'], 'verify needs --out'],
    [['merge', 'r.yml', 's.yml', '--out', 'o'], 's.yml: one recipe at a time'],
    [['merge', 'r.yml', '--out', 'o', '--part', '3/2'], 'there are 2 parts'],
    [['merge', 'r.yml', '--out', 'o', '--part', '0/2'], 'a number from 1'],
    [['merge', 'r.yml', '--out', 'o', '--part', '1/2', '--finish', '2'], 'two steps'],
    [['merge', 'r.yml', '--out', 'o', '--shard-size', '5 apples'], '5 apples'],
    [['merge', 'r.yml', '--out', 'o', '--model', 'a'], 'NAME=FOLDER'],
    [['merge', 'r.yml', '--out', 'o', '--backend', 'abacus'], 'auto, cpu, webgpu'],
    [['merge', 'r.yml', '--out', 'o', '--nonsense'], 'nonsense'],
    [['batch', 'r.yml', '--out', 'o', '--grid', 'a=1'], 'for two models'],
    [['batch', 'r.yml', '--out', 'o', '--grid', 'a=1', '--grid', 'a=0.5'], 'for two models'],
    [['batch', 'r.yml', '--out', 'o', '--grid', 'a=1', '--grid', 'b=0'], 'above 0 and up to 1'],
    [['batch', 'r.yml', '--out', 'o', '--grid', 'a=1', '--grid', 'b=1', '--replace'], 'no --part'],
    [['merge', 'r.yml', '--out', 'o', '--grid', 'a=1'], 'no other command'],
  ])('refuses %j', (argv, words) => {
    expect(() => readOptions(argv)).toThrow(UsageError);
    expect(() => readOptions(argv)).toThrow(words);
  });
});

it('every shard is in exactly one part, and no part has two more than another', () => {
  for (let shards = 0; shards < 20; shards++) {
    for (let parts = 1; parts < 12; parts++) {
      const ranges = Array.from({ length: parts }, (_, i) => shardsOfPart(shards, i + 1, parts));
      const all = ranges.flatMap(({ first, end }) => Array.from({ length: end - first }, (_, i) => first + i));
      expect(all).toEqual(Array.from({ length: shards }, (_, i) => i));
      const sizes = ranges.map(({ first, end }) => end - first);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  }
  expect(() => shardsOfPart(3, 0, 2)).toThrow(RangeError);
  expect(() => shardsOfPart(3, 3, 2)).toThrow(RangeError);
});
