import { cellText, tsv } from './celltext';
import type { Grid } from './grid';
import type { IPreviewHost } from './previewhost';
import type { PreviewModel } from './previewmodel';
import { WHOLE_CELL } from './source';

/** The most cells that are copied: for more there is a file. */
const COPIED = 200_000;

/** The selection, with the names of its columns, for a spreadsheet. */
export async function copySelection(preview: PreviewModel, grid: Grid, host: IPreviewHost): Promise<void> {
  const { format } = host;
  const { trans } = format;
  const window = grid.selected();
  if (!window || !host.copyText) return;
  const { r1, r2, c1, c2 } = window;
  const [rows, columns] = [r2 - r1 + 1, c2 - c1 + 1];
  if (rows * columns > COPIED) {
    host.notify(trans.__('%1 cells are too many to copy. Save the table as a file instead.', format.count(rows * columns)), true);
    return;
  }
  try {
    const pages = await preview.fetch(window, WHOLE_CELL);
    const names = preview.shown.slice(c1, c2 + 1).map(column => preview.table?.schema[column].name ?? '');
    const lines = pages.flatMap(page =>
      Array.from({ length: page.num_rows }, (_, row) =>
        page.fields.map(field => {
          const cell = page.cell(row, field.column);
          return cell === null || cell === undefined ? '' : cellText(cell, field.number);
        })
      )
    );
    // One cell is pasted into text; several go into a table.
    host.copyText(rows * columns === 1 ? (lines[0]?.[0] ?? '') : tsv([names, ...lines]));
    host.notify(
      rows * columns === 1 ? trans.__('Copied') : trans.__('Copied %1 x %2 with column names', format.rows(lines.length), format.columns(columns))
    );
  } catch (error) {
    host.notify(error instanceof Error ? error.message : String(error), true);
  }
}
