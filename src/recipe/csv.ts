/** Comma-separated values as RFC 4180 has them; also with semicolons or tabs, as spreadsheets of other languages write them. */

export interface CsvRow {
  /** 1-based line of the file where the row begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Rows in order, empty lines left out; a byte order mark is dropped. Null when a quote is never closed. */
export function csvRows(text: string): CsvRow[] | null {
  const rest = text.startsWith('\ufeff') ? text.slice(1) : text;
  const separator = separatorOf(rest);
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let start = 1;
  const endRow = () => {
    cells.push(cell);
    if (cells.some((one) => one !== '')) rows.push({ line: start, cells });
    [cells, cell, start] = [[], '', line];
  };
  for (let i = 0; i < rest.length; i++) {
    const character = rest[i]!;
    if (character === '\n') line++;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (rest[i + 1] === '"') cell += rest[++i]!;
      else quoted = false;
    } else if (character === '"' && cell === '') quoted = true;
    else if (character === separator) {
      cells.push(cell);
      cell = '';
    } else if (character === '\n') endRow();
    else if (character !== '\r' || rest[i + 1] !== '\n') cell += character;
  }
  if (quoted) return null;
  endRow();
  return rows;
}

/** Of the first line: what stands there most often, the comma where nothing does. */
function separatorOf(text: string): string {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const counts = [',', ';', '\t'].map((one) => ({ one, count: first.split(one).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).one;
}
