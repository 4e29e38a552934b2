/** Filters and orders in words. */
import type { Format } from '../shared/format';
import { oneLine } from './celltext';
import { limitWords } from './chart';
import type { PreviewModel } from './previewmodel';
import type { IFilter, ISort } from './query';

export function filterWords({ name, condition }: IFilter, { trans }: Format): string {
  switch (condition.kind) {
    case 'missing':
      return trans.__('%1 is null', name);
    case 'present':
      return trans.__('%1 is not null', name);
    case 'text':
      return trans.__('%1 contains “%2”', name, oneLine(condition.text));
    case 'range':
      return rangeWords(name, limitWords(condition.min), limitWords(condition.max), condition.below ?? false, trans);
    case 'except': {
      const texts = condition.values.map(value => oneLine(value.text));
      return texts.length === 1 ? trans.__('%1 is not %2', name, texts[0]) : trans.__('%1 not in %2', name, texts.join(', '));
    }
    case 'values': {
      const texts = condition.values.map(value => oneLine(value.text));
      if (condition.missing) texts.push('null');
      return texts.length === 1 ? trans.__('%1 = %2', name, texts[0]) : trans.__('%1 in %2', name, texts.join(', '));
    }
  }
}

function rangeWords(name: string, min: string, max: string, below: boolean, trans: Format['trans']): string {
  if (min === '') return below ? trans.__('%1 < %2', name, max) : trans.__('%1 ≤ %2', name, max);
  if (max === '') return trans.__('%1 ≥ %2', name, min);
  return below ? trans.__('%1 from %2 to below %3', name, min, max) : trans.__('%1 from %2 to %3', name, min, max);
}

export function sortWords({ name, descending }: ISort): string {
  return `${name} ${descending ? '▼' : '▲'}`;
}

/** The number of columns, and how many of them are shown. */
export function columnsWords({ table, shown, problem, isGone }: PreviewModel, format: Format): string {
  if (!table && (problem || isGone)) return '';
  if (!table) return format.trans.__('Looking for the table…');
  const all = format.columns(table.schema.length);
  return shown.length === table.schema.length ? all : format.trans.__('%1 of %2', format.count(shown.length), all);
}

/** The number of rows, how many of them are found, and how many of those can be seen. */
export function rowsWords(preview: PreviewModel, format: Format): string {
  const { trans } = format;
  const { facts, table } = preview;
  if (!table) return '';
  const there = format.rows(facts?.num_rows ?? table.num_rows);
  const all = table.is_cut ? trans.__('the first %1 of the file', there) : there;
  if (!facts) return preview.view.filters.length ? trans.__('Searching %1…', all) : all;
  const { view_rows: seen, matches, searched, sorted = 1, limited, num_rows: rows } = facts;
  const parts: string[] = [];
  if (preview.view.filters.length) {
    // The search was stopped before its end: there may be more.
    const found = searched < rows ? `${format.count(matches)}+` : format.count(matches);
    parts.push(trans.__('%1 of %2', found, all));
    if (searched < rows) parts.push(trans.__('searched the first %1', format.rows(searched)));
  } else parts.push(all);
  if (sorted < 1) parts.push(trans.__('sorting, %1 done', format.share(sorted)));
  if (limited && seen < matches) parts.push(trans.__('first %1 shown', format.count(seen)));
  return parts.join(', ');
}
