/**
 * Rows of cells: cells may be quoted, a quote inside is doubled, lines end in LF or CRLF. Separated by
 * commas, or by semicolons where the first line has one, as spreadsheets write them in Russia.
 */
export function csvRows(csv: string): readonly (readonly string[])[] {
  const separator = /^[^\n]*;/.test(csv) ? ';' : ',';
  const cell = new RegExp(`("(?:[^"]|"")*"|[^${separator}\\r\\n]*)(${separator}|\\r?\\n|$)`, 'y');
  const rows: string[][] = [[]];
  while (cell.lastIndex < csv.length) {
    const match = cell.exec(csv);
    if (match === null) break; // text after a closing quote: what follows is no CSV
    const [, raw = '', end = ''] = match;
    rows.at(-1)?.push(plain(raw));
    if (end !== separator) rows.push([]);
  }
  return rows.filter((row) => row.some((value) => value !== ''));
}

function plain(raw: string): string {
  return raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw;
}
