import type { Cell, IField } from './page';

/** The text of a cell, in full: numbers have all their digits, as Python and Julia write them. */
export function cellText(cell: Cell, number: IField['number']): string {
  if (typeof cell !== 'number') return String(cell);
  if (number === 'integer') return String(cell);
  if (Number.isNaN(cell)) return 'NaN';
  if (!Number.isFinite(cell)) return cell > 0 ? 'inf' : '-inf';
  const text = number === 'float32' ? shortFloat(cell) : String(cell);
  // A whole number in a float column is still a float.
  return /^-?\d+$/.test(text) ? `${Object.is(cell, -0) ? '-0' : text}.0` : text;
}

/** The fewest digits that read back as this float32. */
function shortFloat(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

/** Rows of cells for a spreadsheet: tab-separated, quoted where a text has tabs, line breaks or quotes. */
export function tsv(rows: readonly (readonly string[])[]): string {
  const quoted = (text: string): string => (/[\t\n\r"]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  return rows.map(row => row.map(quoted).join('\t')).join('\n');
}

/** One line of the text, for a place that has room for only one. */
export function oneLine(text: string): string {
  return text.replace(/\r\n|[\n\r]/g, '↵').replace(/\t/g, ' ');
}
