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
import type { FileFormat, ISaved } from '../shared/download';
import type { Client } from './client';
import type { TablesModel } from './tablesmodel';

/** Rows from the server; the list tells when there is a new version. */
export class ServerSource implements IPreviewSource {
  constructor(
    private readonly _name: string,
    private readonly _client: Client,
    private readonly _tables: TablesModel
  ) {}

  table(): IPreviewTable | null | undefined {
    if (!this._tables.state.listing) return undefined;
    return this._tables.table(this._name) ?? null;
  }

  onChange(callback: () => void): () => void {
    const unwatch = this._tables.watch();
    this._tables.changed.connect(callback);
    return () => {
      this._tables.changed.disconnect(callback);
      unwatch();
    };
  }

  rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    return this._client.rows(this._name, query, signal);
  }

  summary(query: ISummaryQuery, signal: AbortSignal): Promise<ISummary> {
    return this._client.summary(this._name, query, signal);
  }

  find(query: IFindQuery, signal: AbortSignal): Promise<IFound> {
    return this._client.find(this._name, query, signal);
  }

  group(query: IGroupQuery, signal: AbortSignal): Promise<IGroups> {
    return this._client.group(this._name, query, signal);
  }

  points(query: IPointsQuery, signal: AbortSignal): Promise<IPoints> {
    return this._client.points(this._name, query, signal);
  }

  cell(query: ICellQuery, signal: AbortSignal): Promise<INode> {
    return this._client.cell(this._name, query, signal);
  }

  save(view: Partial<IRowsQuery>, format: FileFormat): Promise<ISaved> {
    return this._client.save(this._name, view, format);
  }
}
