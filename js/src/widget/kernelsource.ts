import { question, questionWith } from '../preview/question';
import type {
  ICellQuery,
  IFindQuery,
  IFound,
  IGroupQuery,
  IGroups,
  INode,
  IPoints,
  IPointsQuery,
  IPreviewSource,
  IPreviewTable,
  IRowsQuery,
  ISummary,
  ISummaryQuery
} from '../preview/source';
import { download, FileFormat, ISaved } from '../shared/download';
import { AskedTable } from '../preview/askedtable';
import { IPlace, isFar } from '../shared/place';
import type { Problem } from '../shared/table';
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
    readonly onChange: (callback: () => void) => () => void,
    private readonly _place?: string
  ) {}

  async rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    return (await this._link.ask({ what: 'rows', ...this._question(query) }, signal)).body;
  }

  summary(query: ISummaryQuery, signal: AbortSignal): Promise<ISummary> {
    return this._json('summary', question(query), signal);
  }

  find(query: IFindQuery, signal: AbortSignal): Promise<IFound> {
    return this._json('find', questionWith(query, ['text', 'ignore_case', 'row', 'column', 'direction']), signal);
  }

  group(query: IGroupQuery, signal: AbortSignal): Promise<IGroups> {
    return this._json('group', questionWith(query, ['by', 'of', 'measure']), signal);
  }

  points(query: IPointsQuery, signal: AbortSignal): Promise<IPoints> {
    return this._json('points', questionWith(query, ['x', 'y']), signal);
  }

  cell(query: ICellQuery, signal: AbortSignal): Promise<INode> {
    return this._json('cell', questionWith(query, ['row', 'column']), signal);
  }

  async save(view: Partial<IRowsQuery>, format: FileFormat): Promise<ISaved> {
    const { head, body } = await this._link.ask({ what: 'export', format, ...this._question(view) });
    const saved = { num_rows: Number(head.num_rows), is_cut: head.is_cut === true };
    return download(new Blob([body as BlobPart]), this.table()?.name || 'table', format, saved);
  }

  private async _json<T>(what: string, asked: Record<string, string | number>, signal: AbortSignal): Promise<T> {
    const { body } = await this._link.ask({ what, ...this._address(), ...asked }, signal);
    return JSON.parse(new TextDecoder().decode(body)) as T;
  }

  private _question(query: Partial<IRowsQuery>): Record<string, string | number> {
    return { ...this._address(), ...question(query) };
  }

  private _address(): Record<string, string> {
    const name = this.table()?.name ?? '';
    return this._place === undefined ? { name } : { name, place: this._place };
  }
}

/** Rows of a table in another place. */
export class PlacedSource extends KernelSource {
  constructor(link: Link, place: IPlace, name: string) {
    const asked = AskedTable.placed(
      place,
      async () => (await link.ask({ what: 'placed', place: place.name, name })).head.table as IPreviewTable
    );
    super(
      link,
      () => asked.table,
      callback => asked.onChange(callback),
      place.name
    );
    this._asked = asked;
    this.isRowsOnly = isFar(place);
  }

  readonly isRowsOnly: boolean;

  problem(): Problem | null {
    return this._asked.problem;
  }

  refresh(): void {
    this._asked.refresh();
  }

  override rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    return this._asked.watching(super.rows(query, signal));
  }

  private readonly _asked: AskedTable;
}
