/** A filter made by choosing parts of a column's chart. */
import type { Format } from '../shared/format';
import { brushed, partWords } from './chart';
import type { PreviewModel } from './previewmodel';
import { withCondition } from './query';

/** Parts of a column's chart, from the first to the last. */
export interface IBrush {
  readonly column: number;
  readonly from: number;
  readonly to: number;
}

/** Leave only the rows of these parts, or, if that is so already, all; `add` adds to the values that are left. */
export function applyBrush(preview: PreviewModel, { column, from, to }: IBrush, add: boolean): void {
  const chart = preview.chart(column);
  const schema = preview.table?.schema[column];
  const field = preview.field(column);
  if (!chart || !schema || !field?.filterable) return;
  const before = preview.view.filters.find(filter => filter.column === column);
  const condition = brushed(chart, field.kind, from, to, add, before);
  preview.view = withCondition(preview.view, { column, ...schema }, condition);
}

export function chartWords(preview: PreviewModel, column: number, part: number, format: Format): string {
  const chart = preview.chart(column);
  const summary = preview.summary(column);
  if (!chart || !summary || !preview.table) return '';
  return partWords(chart, part, preview.table.num_rows, summary.exact, format);
}
