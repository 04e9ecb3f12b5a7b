/** Rule: keys of rank_pattern match as PEFT's regular expressions do, and no key of a hostile file keeps the machine busy. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesEnd, readPattern } from '../../../src/checkpoint/adapter-patterns';

const part = fc.constantFrom('a', 'b', '1', '-', '_', '.', '\\.', '\\d', '\\d+', '[0-9]', '[0-9]+', '.*', '.+');
const key = fc.tuple(fc.constantFrom('', '^'), fc.array(part, { minLength: 1, maxLength: 7 }), fc.constantFrom('', '$')).map(([begin, parts, end]) => begin + parts.join('') + end);
const name = fc.array(fc.constantFrom('a', 'b', '1', '2', '-', '_', '.', 'ab', '\n'), { maxLength: 12 }).map((parts) => parts.join(''));

it('matches what the regular expression matches', () => {
  let matched = 0;
  fc.assert(
    fc.property(key, name, (one, module) => {
      const expected = new RegExp(`^(?:[^]*\\.)?(?:${one})$`).test(module);
      expect(matchesEnd(readPattern(one)!, module), `${one} of ${JSON.stringify(module)}`).toBe(expected);
      matched += Number(expected);
    }),
    { numRuns: 5000 },
  );
  expect(matched).toBeGreaterThan(100);
});

it('refuses what is more than names, dots, digits and repeats, and too much of it', () => {
  for (const one of ['', '(a|b)', 'a{3}', 'a*', '[a-z]', '\\w+', 'a|b', '(?=a)', '\\1', '.*?', '^', '$', 'a$b', '.**']) expect(readPattern(one), one).toBeNull();
  expect(readPattern('a'.repeat(300))).not.toBeNull();
  expect(readPattern('a'.repeat(301))).toBeNull();
  expect(readPattern(`${'a'.repeat(99)}.*`)).not.toBeNull();
  expect(readPattern(`${'a'.repeat(100)}.*`)).toBeNull();
});

it('looks at each character once for each part, where a backtracking engine would take years', () => {
  const stars = readPattern(`${'.*'.repeat(40)}x`)!;
  expect(matchesEnd(stars, 'a.'.repeat(5000))).toBe(false);
  expect(matchesEnd(stars, `${'a.'.repeat(5000)}x`)).toBe(true);
});
