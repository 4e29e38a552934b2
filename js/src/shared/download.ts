/** A file that the browser saves. */

export type FileFormat = 'csv' | 'parquet' | 'arrow';

/** The rows in it: a file has a limit, too. */
export interface ISaved {
  readonly num_rows: number;
  readonly is_cut: boolean;
}

/** Make the browser save what is shown of a table. The file's name says so if that is only a part of the rows. */
export function download(content: Blob, table: string, format: FileFormat, saved: ISaved): ISaved {
  // Not a link to the server: a user who is logged in by a header could not follow it.
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = saved.is_cut ? `${table} (first ${saved.num_rows} rows).${format}` : `${table}.${format}`;
  link.click();
  URL.revokeObjectURL(link.href);
  return saved;
}
