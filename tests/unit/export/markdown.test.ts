import { describe, expect, it } from 'vitest';
import { codeBlock, grouped, plain, share, table } from '../../../src/export/markdown';

describe('text from files in Markdown', () => {
  it.each([
    ['llama-2-7b', 'llama-2-7b'],
    ['a|b', 'a\\|b'],
    ['<img onerror=x>&amp;', '&lt;img onerror=x&gt;&amp;amp;'],
    ['a\n---\n# b', 'a\ufffd---\ufffd\\# b'],
    ['[x](javascript:y)', '\\[x\\]\\(javascript\\:y\\)'],
    ['`a` *b* __c__ ~d~ $e$ !f', '\\`a\\` \\*b\\* \\_\\_c\\_\\_ \\~d\\~ \\$e\\$ \\!f'],
    ['\\|', '\\\\\\|'],
    ['a\u0000\u202eb\u2028', 'a\ufffd\ufffdb\ufffd'],
    ['\u061c\u200b\u2060\u206f\u{e0041}z', '\ufffd\ufffd\ufffd\ufffd\ufffdz'],
  ])('%j is written %j', (text, expected) => {
    expect(plain(text)).toBe(expected);
  });

  it('fences code longer than any run of backticks in it', () => {
    expect(codeBlock('yaml', 'a: 1\n')).toBe('```yaml\na: 1\n```');
    expect(codeBlock('', 'a ```` b ```')).toBe('`````\na ```` b ```\n`````');
  });

  it('groups digits and shows a share with its counts', () => {
    expect([0, 999, 1000, 1234567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect(share(49, 328)).toBe('14.94 % (49 / 328)');
    expect(share(0, 0)).toBe('– (0 / 0)');
  });

  it('aligns numbers to the right', () => {
    expect(table(['a', 'b'], [['1', '2']])).toBe('| a | b |\n| --- | ---: |\n| 1 | 2 |');
  });
});
