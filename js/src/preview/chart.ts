/** The chart of a column: parts of all its values, and how much of each is in the view. */
import type { Format } from '../shared/format';
import { oneLine } from './celltext';
import type { Condition, IFilter } from './query';
import type { IHistogram, Kind, ITop } from './source';
import type { Summary } from './summaries';

/** A bin of a histogram, or a frequent value; shares are of all rows of the table. */
export interface IPart {
  readonly whole: number;
  readonly found: number;
}

export interface IChart {
  readonly parts: readonly IPart[];
  readonly histogram: IHistogram | null;
  readonly top: ITop | null;
  /** The share of rows that have a value. */
  readonly present: number;
}

/** `null` for a column that has no chart. */
export function chartOf(summary: Summary): IChart | null {
  const { histogram, top, rows, nulls } = summary.whole ?? summary;
  const counts = histogram?.counts ?? top?.map(one => one.count);
  if (!counts?.length || !rows) return null;
  const found = summary.whole ? summary.whole.found : counts;
  const scale = summary.rows ? summary.share / summary.rows : 0;
  return {
    parts: counts.map((count, i) => ({ whole: count / rows, found: (found?.[i] ?? 0) * scale })),
    histogram,
    top,
    present: (rows - nulls) / rows
  };
}

/** The part at a place from 0 to 1 of the chart's width; `null` if there is none. */
export function partAt({ parts, histogram, present }: IChart, place: number): number | null {
  if (histogram) return Math.max(0, Math.min(parts.length - 1, Math.floor(place * parts.length)));
  let to = 0;
  const at = parts.findIndex(part => place < (to += part.whole / present));
  return at < 0 || place < 0 ? null : at;
}

/** The condition that leaves the parts from one to another; `null`: it would leave them all. */
export function conditionOf({ parts, histogram, top }: IChart, kind: Kind, from: number, to: number): Condition | null {
  if (!histogram) {
    const values = (top ?? []).slice(from, to + 1).flatMap(({ text, value }) => (value === undefined ? [] : [{ text, value }]));
    return { kind: 'values', values, missing: false };
  }
  const limit = (edge: number): string => (kind === 'time' ? histogram.edges[edge].text : String(histogram.edges[edge].value));
  // The ends of a sample are not those of the table: nothing is left out beyond them.
  const min = from > 0 ? limit(from) : '';
  const max = to < parts.length - 1 ? limit(to + 1) : '';
  return min || max ? { kind: 'range', min, max, ...(max ? { below: true } : {}) } : null;
}

/** The filter after a click on a part, or a drag over several: the same again takes it away, `add` adds values to it. */
export function brushed(chart: IChart, kind: Kind, from: number, to: number, add: boolean, filter: IFilter | undefined): Condition | null {
  const condition = conditionOf(chart, kind, from, to);
  const before = filter?.condition;
  if (JSON.stringify(condition) === JSON.stringify(before)) return null;
  if (!add || condition?.kind !== 'values' || before?.kind !== 'values') return condition;
  const isIn = (value: unknown, values: typeof before.values): boolean => values.some(one => one.value === value);
  const kept = before.values.filter(one => !isIn(one.value, condition.values));
  const added = condition.values.filter(one => !isIn(one.value, before.values));
  return { ...before, values: [...kept, ...added] };
}

/** A part in words: its range or value, and how many rows of the view are about that. */
export function partWords({ parts, histogram, top }: IChart, part: number, rows: number, isExact: boolean, format: Format): string {
  const { trans } = format;
  const count = `${isExact ? '' : '≈ '}${format.rows(Math.round(parts[part].found * rows))}`;
  if (!histogram) return trans.__('%1: %2', oneLine(top?.[part].text ?? '') || trans.__('(empty)'), count);
  const [from, to] = [histogram.edges[part], histogram.edges[part + 1]].map(edge => limitWords(edge.text));
  return from === to ? trans.__('%1: %2', from, count) : trans.__('%1 to %2: %3', from, to, count);
}

/** A limit in words: a number that nobody wrote has six digits, and a day no clock. */
export function limitWords(text: string): string {
  if (/ 00:00:00$/.test(text)) return text.slice(0, 10);
  return /^-?\d*\.\d{4,}(e[-+]?\d+)?$/.test(text) ? String(Number(Number(text).toPrecision(6))) : text;
}
