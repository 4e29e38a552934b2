/** The text under the chart of a column. */
import type { Format } from '../shared/format';
import { oneLine } from './celltext';
import type { IColumnSummary } from './source';

/** The chart's range or most frequent value, from the longest wording to the shortest. */
export function headlines(summary: IColumnSummary, format: Format): string[] {
  const { min, max, top, rows, nulls, distinct } = summary;
  if (rows === 0) return [format.trans.__('no rows')];
  if (nulls === rows) return [format.trans.__('empty')];
  if (top?.length && distinct === rows - nulls && rows > 1) return [format.trans.__('all distinct')];
  // Among many values none is frequent.
  if (top?.length && distinct !== null && top[0].count < rows / 50) return [format.trans.__('%1 distinct', format.count(distinct))];
  if (top?.length) return [`${oneLine(top[0].text)} ${format.share(top[0].count / rows)}`];
  if (!min || !max) return [];
  const [from, to] = [wordings(min.text, format), wordings(max.text, format)];
  if (min.text === max.text) return from;
  // It must not be so short that both ends look the same.
  const pairs = from.map((text, i) => [text, to[i] ?? to[0]]).filter(([one, other], i) => i === 0 || one !== other);
  return [...pairs.map(pair => pair.join(' – ')), `… – ${to[0]}`];
}

/** A limit with fewer and fewer digits: a number that does not fit is shortened, never cut off at its end. */
function wordings(text: string, format: Format): string[] {
  const time = /^(\d{4})(-\d\d)(-\d\d)(?:[ T]|$)/.exec(text);
  if (time) {
    const [, year, month, day] = time;
    return [year + month + day, year + month, year];
  }
  if (/^-?\d+$/.test(text)) return [format.decimal(BigInt(text), 0), format.compact(BigInt(text))];
  const value = Number(text);
  if (!Number.isFinite(value) || text.trim() === '') return [oneLine(text)];
  const short = (digits: number): string => {
    const found = Number(value.toPrecision(digits));
    const isPlain = found === 0 || (Math.abs(found) < 1e15 && Math.abs(found) >= 1e-5);
    return isPlain ? format.decimal(found, (String(found).split('.')[1] ?? '').length) : found.toExponential().replace('e+', 'e');
  };
  return [short(6), short(4), short(3), format.compact(value)];
}
