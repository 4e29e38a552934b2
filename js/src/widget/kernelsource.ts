import type { ExportFormat, IPreviewSource, IPreviewTable, IRowsQuery, ISaved, ISummary, ISummaryQuery } from '../preview/source';
import type { Link } from './link';

/** Rows from the kernel that made the widget. */
export class KernelSource implements IPreviewSource {
  /**
   * @param table - As the widget's state has it now.
   * @param onChange - Call back whenever that may have changed, until what it gives is called.
   */
  constructor(
    private readonly _link: Link,
    readonly table: () => IPreviewTable | null | undefined,
    readonly onChange: (callback: () => void) => () => void
  ) {}

  async rows({ offset, limit, cell, ...view }: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    const numbers = { offset, limit, ...(cell ? { cell } : {}) };
    return (await this._link.ask({ what: 'rows', ...numbers, ...this._question(view) }, signal)).body;
  }

  async summary(query: ISummaryQuery, signal: AbortSignal): Promise<ISummary> {
    const { body } = await this._link.ask({ what: 'summary', ...this._question(query) }, signal);
    return JSON.parse(new TextDecoder().decode(body)) as ISummary;
  }

  async save(view: Partial<IRowsQuery>, format: ExportFormat): Promise<ISaved> {
    const { head, body } = await this._link.ask({ what: 'export', format, ...this._question(view) });
    const saved = { num_rows: Number(head.num_rows), is_cut: head.is_cut === true };
    const name = this.table()?.name || 'table';
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([body as BlobPart]));
    link.download = saved.is_cut ? `${name} (first ${saved.num_rows} rows).${format}` : `${name}.${format}`;
    link.click();
    URL.revokeObjectURL(link.href);
    return saved;
  }

  private _question({ columns, sort, filter, version }: Partial<IRowsQuery>): Record<string, string> {
    return {
      name: this.table()?.name ?? '',
      ...(columns ? { columns: JSON.stringify(columns) } : {}),
      ...(sort?.length ? { sort: JSON.stringify(sort) } : {}),
      ...(filter ? { filter: JSON.stringify(filter) } : {}),
      ...(version ? { version } : {})
    };
  }
}
