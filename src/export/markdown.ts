/** Text from files in Markdown: shown as it is, never read as markup. */

/** C0 and C1 controls, line separators, what has no width, marks that turn text around, and the invisible tag characters. */
export const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
const MARKUP = /[\\`*_[\]{}()#!|~$^@:]/g;

/** One line, safe in a paragraph, a heading and a table cell. */
export function plain(text: string): string {
  return text
    .replace(INVISIBLE, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(MARKUP, '\\$&');
}

/** A table; cells are Markdown already. Columns after the first are numbers and stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], alignment: 'numbers' | 'text' = 'numbers'): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 || alignment === 'text' ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** A code block whose fence is longer than any run of backticks in the text. */
export function codeBlock(language: string, text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.endsWith('\n') ? text : `${text}\n`}${fence}`;
}

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** A share with its two counts: `12.3 % (123 / 1,000)`. */
export function share(part: number, whole: number): string {
  const percent = whole === 0 ? '–' : `${((100 * part) / whole).toFixed(2)} %`;
  return `${percent} (${grouped(part)} / ${grouped(whole)})`;
}
