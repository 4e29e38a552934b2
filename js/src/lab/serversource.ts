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
import type { Address, Client } from './client';
import { AskedTable } from '../preview/askedtable';
import { IPlace, isFar } from '../shared/place';
import type { Problem } from '../shared/table';
import type { TablesModel } from './tablesmodel';

/** Rows from the server. */
abstract class ServerSource implements IPreviewSource {
  constructor(
    protected readonly client: Client,
    private readonly _address: Address
  ) {}

  abstract table(): IPreviewTable | null | undefined;
  abstract onChange(callback: () => void): () => void;

  rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    return this.client.rows(this._address, query, signal);
  }

  summary(query: ISummaryQuery, signal: AbortSignal): Promise<ISummary> {
    return this.client.summary(this._address, query, signal);
  }

  find(query: IFindQuery, signal: AbortSignal): Promise<IFound> {
    return this.client.find(this._address, query, signal);
  }

  group(query: IGroupQuery, signal: AbortSignal): Promise<IGroups> {
    return this.client.group(this._address, query, signal);
  }

  points(query: IPointsQuery, signal: AbortSignal): Promise<IPoints> {
    return this.client.points(this._address, query, signal);
  }

  cell(query: ICellQuery, signal: AbortSignal): Promise<INode> {
    return this.client.cell(this._address, query, signal);
  }

  save(view: Partial<IRowsQuery>, format: FileFormat): Promise<ISaved> {
    return this.client.save(this._address, view, format);
  }
}

/** A shared table; the list tells when there is a new version. */
export class TableSource extends ServerSource {
  constructor(
    private readonly _name: string,
    client: Client,
    private readonly _tables: TablesModel
  ) {
    super(client, { table: _name });
  }

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
}

/** A table of which nothing tells when it changes. */
abstract class AskedSource extends ServerSource {
  protected abstract readonly asked: AskedTable;

  table(): IPreviewTable | null | undefined {
    return this.asked.table;
  }

  problem(): Problem | null {
    return this.asked.problem;
  }

  onChange(callback: () => void): () => void {
    return this.asked.onChange(callback);
  }

  refresh(): void {
    this.asked.refresh();
  }
}

/** A file of the server's folder. */
export class FileSource extends AskedSource {
  constructor(
    private readonly _path: string,
    client: Client,
    /** The path by which code attaches it. */
    private readonly _attachedBy: () => string
  ) {
    super(client, { file: _path });
  }

  readonly isFile = true;
  protected readonly asked = new AskedTable(known => this._ask(known));

  private async _ask(known: IPreviewTable | null): Promise<IPreviewTable | null> {
    const found = await this.client.file(this._path, known ? this._etag : '');
    if (!found) return null;
    this._etag = found.etag;
    const attachedBy = this._attachedBy;
    return {
      ...found.file,
      // Asked when code is copied: for the notebook that was used last by then.
      get name() {
        return attachedBy();
      }
    };
  }

  private _etag = '';
}

/** A table of another place. Tables of this machine's users are read where they are; all others may cost a fetch. */
export class PlaceSource extends AskedSource {
  constructor(
    place: Pick<IPlace, 'name' | 'kind'>,
    name: string,
    client: Client
  ) {
    super(client, { place: place.name, table: name });
    this.isRowsOnly = isFar(place);
    this.asked = AskedTable.placed(place, () => client.placedTable(place.name, name));
  }

  readonly isRowsOnly: boolean;
  protected readonly asked: AskedTable;

  override rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    return this.asked.watching(super.rows(query, signal));
  }
}
