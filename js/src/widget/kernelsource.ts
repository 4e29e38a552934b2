import { findQuestion, question } from '../preview/question';
import type { IFindQuery, IFound, IPreviewSource, IPreviewTable, IRowsQuery, ISummary, ISummaryQuery } from '../preview/source';
import { download, FileFormat, ISaved } from '../shared/download';
import type { Link } from './link';

/** Rows from the kernel that made the widget. */
export class KernelSource implements IPreviewSource {
  /**
   * @param table - The table as it is now in the widget's state.
   * @param onChange - Call back whenever that may have changed, until the function that it returns is called.
   */
  constructor(
    private readonly _link: Link,
    readonly table: () => IPreviewTable | null | undefined,
    readonly onChange: (callback: () => void) => () => void
  ) {}

  async rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    return (await this._link.ask({ what: 'rows', ...this._question(query) }, signal)).body;
  }

  async summary(query: ISummaryQuery, signal: AbortSignal): Promise<ISummary> {
    const { body } = await this._link.ask({ what: 'summary', ...this._question(query) }, signal);
    return JSON.parse(new TextDecoder().decode(body)) as ISummary;
  }

  async find(query: IFindQuery, signal: AbortSignal): Promise<IFound> {
    const { body } = await this._link.ask({ what: 'find', name: this.table()?.name ?? '', ...findQuestion(query) }, signal);
    return JSON.parse(new TextDecoder().decode(body)) as IFound;
  }

  async save(view: Partial<IRowsQuery>, format: FileFormat): Promise<ISaved> {
    const { head, body } = await this._link.ask({ what: 'export', format, ...this._question(view) });
    const saved = { num_rows: Number(head.num_rows), is_cut: head.is_cut === true };
    return download(new Blob([body as BlobPart]), this.table()?.name || 'table', format, saved);
  }

  private _question(query: Partial<IRowsQuery>): Record<string, string | number> {
    return { name: this.table()?.name ?? '', ...question(query) };
  }
}
