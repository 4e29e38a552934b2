/** A file that the browser saves. */

export type FileFormat = 'csv' | 'parquet' | 'arrow';

/** What is in it: a file is bounded, too. */
export interface ISaved {
  readonly num_rows: number;
  readonly is_cut: boolean;
}

/** Have the browser save what is shown of a table. Its name says so where that is a part of the rows. */
export function download(content: Blob, table: string, format: FileFormat, saved: ISaved): ISaved {
  // Not a link to the server: who is logged in by a header could not follow it.
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = saved.is_cut ? `${table} (first ${saved.num_rows} rows).${format}` : `${table}.${format}`;
  link.click();
  URL.revokeObjectURL(link.href);
  return saved;
}
